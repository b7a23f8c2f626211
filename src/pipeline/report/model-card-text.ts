import { needsOf } from '../../core/program/build-program.ts';
import type { Phase } from '../../core/strategies/phase.ts';
import { teachesScores } from '../../core/strategies/terms.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import type { Results } from '../results.ts';
import { type Standing, standings } from './assistants.ts';
import { choiceLines, choiceRows } from './choice-text.ts';
import { ensembleLines } from './ensemble-text.ts';
import { objectiveText } from './objective-text.ts';
import type { Latency, ModelReport, ModelRole, PhaseReport, Report, TeacherReport } from './report.ts';
import { seedsLines } from './seeds-text.ts';

const roles: readonly ModelRole[] = ['teacher', 'ensemble', 'control', 'student'];

/** The verdict as rows of text: one per model. */
export function verdictRows({ models, latency, ensemble }: Report): string[][] {
  const header = [
    'model',
    'accuracy',
    'agreement',
    'KL',
    'ECE',
    'parameters',
    'MACs',
    'bytes',
    'ms (1)',
    'ms (32)',
  ];
  const rows = roles.flatMap((role) => {
    const model = models[role];
    if (!model) return [];
    const others = role === 'ensemble' ? (ensemble?.teachers.slice(1) ?? []) : [];
    return [
      ...others.map((teacher) => verdictRow(teacherName(teacher), teacher, [])),
      verdictRow(role, model, latency[role] ?? []),
    ];
  });
  return [header, ...rows];
}

/** Figures on a part of the rows say so. */
const teacherName = ({ name, knows, rows }: TeacherReport): string =>
  knows ? `${name} (on ${rows} rows of ${knows.length} classes)` : name;

function verdictRow(
  role: string,
  { metrics, parameters, macs, bytes }: ModelReport,
  times: readonly Latency[],
) {
  const share = (name: string) => text(metrics[name], (value) => `${(100 * value).toFixed(2)} %`);
  const number = (name: string) => text(metrics[name], (value) => value.toFixed(4));
  const at = (batch: number) => text(times.find((time) => time.batch === batch)?.p50, (ms) => ms.toFixed(2));
  const count = (value: number | null) => text(value, (n) => n.toLocaleString('en-US'));
  return [
    role,
    share('accuracy'),
    share('agreement'),
    number('klToTeacher'),
    number('ece'),
    count(parameters),
    count(macs),
    count(bytes),
    at(1),
    at(32),
  ];
}

const text = (value: unknown, format: (value: number) => string): string =>
  typeof value === 'number' ? format(value) : '-';

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** What terms with `auto` compare and weigh. */
function foundLines({ training }: Report): string[] {
  const { layers = [], weights = [] } = training.student ?? {};
  return [
    ...layers.map(
      ({ loss, from, to, likeness }) =>
        `- Compared by ${loss}: \`${from}\` of the teacher, \`${to}\` of the student (linear CKA before training ${likeness.toFixed(2)})`,
    ),
    ...weights.map(
      ({ loss, weight, initial }) =>
        `- Weight of ${loss}: ${weight}, set from its value before training, ${initial}`,
    ),
  ];
}

/** The strategy, and what each phase did where there are several. */
function strategyLines({ training }: Report, { strategy, phases }: ResolvedSpec): string[] {
  const several = phases.length > 1 || phases[0]!.terms.some(({ schedule }) => schedule);
  const named = several || strategy.name !== 'single-stage' ? [`- Strategy: ${strategy.name}`] : [];
  if (!several) return named;
  const made = training.student?.phases ?? [];
  const stands = standings(training, phases);
  const lines = phases.map((phase, i) => phaseText(phase, made[i], stands.get(phase.name)));
  return [...named, ...lines.map((text) => `  - ${text}`)];
}

function phaseText(phase: Phase, made: PhaseReport | undefined, stands: Standing | undefined): string {
  const teachers = Object.entries(phase.teachers ?? {}).map(([name, weight]) => `${weight} x ${name}`);
  const needs = needsOf(phase.terms);
  const isTaught = needs.has('teacher-logits');
  const taught = teachers.length > 0 ? teachers.join(' + ') : isTaught ? 'the teacher' : undefined;
  // Hints train no classifier, so its figures say nothing of them.
  const seen = phase.terms.some(teachesScores) ? (made?.validation ?? {}) : {};
  const [name, score] = Object.entries(seen).find(([, value]) => value !== null) ?? [];
  const parts = [
    `${made?.steps ?? 0} steps`,
    phase.from ? `from ${phase.from}` : 'from initial weights',
    ...(phase.student?.options ? [`student ${JSON.stringify(phase.student.options)}`] : []),
    ...(taught ? [`taught by ${taught}`] : []),
    objectiveText(phase.terms),
    ...(typeof score === 'number' ? [`${name} on validation ${(100 * score).toFixed(2)} %`] : []),
    ...(stands ? [`midway to the student ${(100 * stands.midway).toFixed(2)} %`] : []),
  ];
  return `${phase.name}: ${parts.join(', ')}`;
}

/** What `method: "auto"` tried. */
function choiceSection(report: Report): string[] {
  const [header, ...rows] = choiceRows(report);
  if (!header) return [];
  return [
    ...bulleted(choiceLines(report)),
    line(header),
    line(header.map(() => '---')),
    ...rows.map(line),
    '',
  ];
}

/** A list with an empty line behind it, where it has any. */
const bulleted = (lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [...lines.map((line) => `- ${line}`), ''];

/** What the training rows were, where they are not the dataset's. */
function recoveredLines({ recover }: Results): string[] {
  if (!recover) return [];
  const terms = Object.entries(recover.terms).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  return [
    `- Training rows: ${recover.rows} pictures recovered from the teacher by ${recover.engine} (${terms.join(', ')})`,
  ];
}

/** Model card in Markdown. */
export function modelCardText(report: Report, done: Results, spec: ResolvedSpec): string {
  const { card } = done.inspect;
  const { splits } = done.qualify.card;
  const { train } = spec;
  const [header, ...rows] = verdictRows(report) as [string[], ...string[][]];
  const value = ({ name, dtype, shape }: (typeof card.inputs)[number]) =>
    `- \`${name}\`: ${dtype} [${shape?.map((dim) => (dim === '' ? '?' : dim)).join(', ') ?? '?'}]`;
  const student = done.export.student.card;
  return [
    '# Model card',
    '',
    'A student distilled by Retort. It takes the place of its teacher: same inputs, same outputs.',
    '',
    '## Figures',
    '',
    [
      `On ${report.rows} rows of the test split, which neither training nor selection has seen.`,
      ...(report.models.control
        ? [
            'The control is the same network with the same seed and recipe, trained on the labels alone for the full number of steps.',
          ]
        : []),
      `Times are medians in milliseconds for batches of 1 and 32 (${report.ran.runtime}, ${report.ran.device}).`,
    ].join('\n'),
    '',
    line(header),
    line(header.map(() => '---')),
    ...rows.map(line),
    '',
    ...choiceSection(report),
    ...bulleted(seedsLines(report)),
    ...report.warnings.map((warning) => `> ${warning}`),
    ...(report.warnings.length > 0 ? [''] : []),
    '## Inputs and outputs',
    '',
    ...student.inputs.map(value),
    ...student.outputs.map(value),
    '',
    '## How it was made',
    '',
    `- Teacher: ${done.ingest.teacher.name}, sha256 ${done.ingest.teacher.hash}, ${card.parameters.toLocaleString('en-US')} parameters`,
    ...(train.teacherDevice === train.device ? [] : [`- The teacher was asked on ${train.teacherDevice}`]),
    ...done.ingest.data.map((file) => `- Data: ${file.name}, sha256 ${file.hash}`),
    `- Rows: ${splits.train.rows} training (${done.qualify.labelled} labelled), ${splits.validation.rows} validation, ${splits.test.rows} test`,
    `- Objective: ${objectiveText(spec.objective.terms)}`,
    ...foundLines(report),
    ...recoveredLines(done),
    ...ensembleLines(report, done),
    ...strategyLines(report, spec),
    `- Training: ${done.train.steps} steps of ${train.batchSize} rows, ${train.optimizer.name}, schedule ${train.schedule.name}, by ${report.ran.engine} (${report.ran.kernelReason}), seed ${report.ran.seed}`,
    `- Exported: step ${done.train.step}; largest difference of logits to the trained network ${done.export.student.parity.difference.toExponential(1)}`,
    '',
  ].join('\n');
}
