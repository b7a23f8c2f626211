import type { Validation } from '../../contract/validation.ts';
import type { CliIo } from '../command.ts';
import { table } from '../table.ts';

const number = (value: number): string => value.toLocaleString('en-US');

/** What a job would make and cost, and what to beware of. */
export function printValidation(
  {
    student,
    warnings,
    estimate,
  }: Pick<Validation, 'student' | 'estimate'> & { readonly warnings: readonly string[] },
  io: CliIo,
): void {
  const { parameters, bytes, macs } = student;
  const { total, ...stages } = estimate.seconds;
  const rows = [...Object.entries(stages).filter(([, seconds]) => seconds > 0), ['total', total] as const];
  const work = macs === null ? '' : `, ${number(macs)} multiply-accumulates per row`;
  io.out.write(`student  ${number(parameters)} parameters, ${number(bytes)} bytes${work}\n`);
  io.out.write(
    table([['stage', 'seconds, about'], ...rows.map(([name, seconds]) => [name, seconds.toFixed(1)])]),
  );
  io.out.write(`memory  about ${number(Math.ceil(estimate.memoryBytes / 2 ** 20))} MiB\n`);
  for (const warning of warnings) io.out.write(`warning: ${warning}\n`);
}
