import type { TObject } from 'typebox';
import { losses } from '../../core/losses/index.ts';
import type { LossNeed } from '../../core/losses/loss.ts';
import { metrics } from '../../core/metrics/index.ts';
import type { Metric } from '../../core/metrics/metric.ts';
import { optimizers } from '../../core/optimizers/index.ts';
import { resolveOptions } from '../../core/options.ts';
import { schedules } from '../../core/schedules/index.ts';
import { strategies } from '../../core/strategies/index.ts';
import { students } from '../../core/students/index.ts';
import { augmentations } from '../../data/augment/index.ts';
import { formats } from '../../data/formats/index.ts';
import type { CliCommand } from '../command.ts';

type Need = LossNeed | Metric['needs'][number];

interface Entry {
  readonly summary: string;
  readonly citation?: string;
  readonly formula?: string;
  readonly options?: TObject;
  /** Default temperature of a loss that reads one; it stands beside the options in a spec. */
  readonly temperature?: number;
  /** What `"weight": "published"` means for a loss; shown at the default options. */
  publishedWeight?(options: Readonly<Record<string, unknown>>): number | undefined;
  /** What a loss or a metric reads besides the student's class scores. */
  readonly needs?: readonly Need[];
}

const tables: Readonly<Record<string, Readonly<Record<string, Entry>>>> = {
  students,
  losses,
  optimizers,
  schedules,
  strategies,
  augmentations,
  formats,
  metrics,
};

/** `retort students`, `retort losses`, ...: what a spec may name or a report hold, with options and defaults. */
export const registries: CliCommand = {
  add(program, io) {
    for (const [name, table] of Object.entries(tables)) {
      program
        .command(name)
        .description(
          name === 'metrics' ? 'lists the metrics of the report' : `lists the ${name} a spec may name`,
        )
        .option('--json', 'as JSON, options as JSON schema')
        .action(({ json }: { json?: boolean }) => {
          const entries = Object.entries(table).map(([id, entry]) => describe(id, entry));
          io.out.write(json ? `${JSON.stringify(entries, null, 2)}\n` : entries.map(text).join(''));
        });
    }
  },
};

const describe = (
  name: string,
  { summary, formula, citation, options, temperature, publishedWeight, needs }: Entry,
) => ({
  name,
  summary,
  formula,
  citation,
  options,
  temperature,
  publishedWeight: options && publishedWeight?.(resolveOptions(options, {}, name)),
  needs,
});

function text({
  name,
  summary,
  formula,
  citation,
  options,
  temperature,
  publishedWeight,
  needs = [],
}: ReturnType<typeof describe>): string {
  const lines = [`${name}  ${summary}`];
  if (formula) lines.push(`    ${formula}`);
  if (citation) lines.push(`    ${citation}`);
  if (needs.length > 0) lines.push(`    reads ${needs.map((need) => read[need]).join(' and ')}`);
  if (temperature !== undefined) lines.push(`    temperature = ${temperature}  T; "learned" is trained`);
  if (publishedWeight !== undefined) lines.push(`    weight "published" = ${publishedWeight}`);
  lines.push(...optionLines(options?.properties ?? {}, '    '));
  return `${lines.join('\n')}\n`;
}

/** What losses and metrics read, with the options of a spec that say which. */
const read: Readonly<Record<Need, string>> = {
  labels: 'labels',
  teacher: "the teacher's class scores",
  'teacher-logits': "the teacher's class scores",
  features: 'tensors of both: "from" of the teacher, "to" of the student, found if left out',
  layers: 'layers of the student: "at", found if left out',
};

interface OptionSchema {
  readonly default?: unknown;
  readonly description?: string;
  readonly anyOf?: readonly { readonly const?: unknown }[];
  readonly items?: { readonly properties?: Readonly<Record<string, unknown>> };
}

/** Options with defaults and choices; those of the entries of a list stand below it. */
function optionLines(properties: Readonly<Record<string, unknown>>, indent: string): string[] {
  return Object.entries(properties).flatMap(([option, schema]) => {
    const { default: fallback, description, anyOf = [], items } = schema as OptionSchema;
    const given = fallback === undefined ? '' : ` = ${JSON.stringify(fallback)}`;
    const literals = anyOf.flatMap((each) => (each.const === undefined ? [] : [JSON.stringify(each.const)]));
    const choices = literals.length > 1 ? ` (${literals.join(' | ')})` : '';
    return [
      `${indent}${option}${given}${choices}${description ? `  ${description}` : ''}`,
      ...optionLines(items?.properties ?? {}, `${indent}  `),
    ];
  });
}
