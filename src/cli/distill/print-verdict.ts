import { join } from 'node:path';
import { choiceLines, choiceRows } from '../../pipeline/report/choice-text.ts';
import { verdictRows } from '../../pipeline/report/model-card-text.ts';
import type { Report } from '../../pipeline/report/report.ts';
import { seedsLines } from '../../pipeline/report/seeds-text.ts';
import type { CliIo } from '../command.ts';
import { table } from '../table.ts';

/** What came out: teacher, control and student in figures, what to beware of, where the files are. */
export function printVerdict(report: Report, io: CliIo, written?: { out: string; files: number }): void {
  io.out.write(table(verdictRows(report)));
  if (report.choice) io.out.write(`\n${table(choiceRows(report))}`);
  for (const line of choiceLines(report)) io.out.write(`${line}\n`);
  for (const line of seedsLines(report)) io.out.write(`${line}\n`);
  for (const warning of report.warnings) io.out.write(`warning: ${warning}\n`);
  if (!written) return;
  io.out.write(`\n${join(written.out, 'student.onnx')} and ${written.files - 1} more files\n`);
}
