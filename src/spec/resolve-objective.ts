import { losses } from '../core/losses/index.ts';
import type { Loss } from '../core/losses/loss.ts';
import { entryOf, resolveOptions } from '../core/options.ts';
import type { ObjectiveTerm, TensorNames } from '../core/program/build-program.ts';
import { RetortError } from '../errors.ts';

interface Sugar {
  readonly alpha?: number;
  readonly temperature?: number | 'learned';
  readonly logitStandardization?: boolean;
}

type Written = Readonly<Record<string, unknown>> & { readonly loss: string };

/**
 * The objective as weighted terms; `alpha` and `temperature` are sugar for Hinton's two. What a strategy adds comes last,
 * unless the spec has said it. Terms of weight 0 fall out.
 */
export function resolveObjective(
  objective: object | undefined,
  added: readonly Readonly<Record<string, unknown>>[] = [],
): {
  readonly terms: readonly ObjectiveTerm[];
} {
  const said =
    objective && 'terms' in objective ? (objective.terms as readonly Written[]) : twoTerms(objective ?? {});
  const missing = (added as readonly Written[]).filter(({ loss }) =>
    said.every((term) => term.loss !== loss),
  );
  const terms = [...said, ...missing].map(resolveTerm).filter((term) => term.weight > 0);
  if (terms.length > 0 && terms.every(({ weighing }) => weighing === 'auto')) {
    throw new RetortError(
      'SPEC_INVALID',
      '/objective/terms: every weight is "auto" or 0; one term needs a number above 0',
      { hint: 'Give one a number: "weight": 1.' },
    );
  }
  if (terms.length === 0) {
    throw new RetortError(
      'SPEC_INVALID',
      '/objective/terms: every term has weight 0, nothing would be learned',
      { hint: 'Give one a weight above 0.' },
    );
  }
  if (terms.every(readsOwnLayersAlone)) {
    throw new RetortError(
      'SPEC_INVALID',
      `/objective/terms: "${terms[0]!.loss}" teaches inner layers by the last one, which nothing teaches`,
      { hint: 'Add a term for the student itself: "kl" or "cross-entropy".' },
    );
  }
  return { terms };
}

/** Whether it leaves what is behind the deepest layer untrained. */
const readsOwnLayersAlone = ({ loss }: ObjectiveTerm): boolean =>
  entryOf<Loss>(losses, loss, 'loss').layers !== undefined;

/** Share of the soft targets where `alpha` is left out. */
export const DEFAULT_ALPHA = 0.9;

function twoTerms({
  alpha = DEFAULT_ALPHA,
  temperature = 4,
  logitStandardization = false,
}: Sugar): readonly Written[] {
  return [
    { loss: 'kl', weight: alpha, temperature, standardize: logitStandardization },
    // 1 - 0.9 is 0.09999999999999998; the spec means 0.1.
    { loss: 'cross-entropy', weight: Number((1 - alpha).toPrecision(12)) },
  ];
}

function resolveTerm({ loss: name, weight, temperature, from, to, at, ...options }: Written): ObjectiveTerm {
  const loss: Loss = entryOf<Loss>(losses, name, 'loss');
  if (temperature !== undefined && loss.temperature === undefined) {
    throw new RetortError('SPEC_INVALID', `/objective/terms: the loss "${name}" reads no temperature`, {
      hint: 'Leave it out there.',
    });
  }
  const resolved = resolveOptions(loss.options, options, name);
  return {
    loss: name,
    ...weightOf(loss, weight as number | 'auto' | 'published' | undefined, resolved),
    ...temperatureOf(loss, temperature as number | 'learned' | undefined),
    ...(loss.features ? tensorsOf(loss, from as WrittenTensors, to as WrittenTensors) : {}),
    ...(loss.layers ? { at: (at as TensorNames | undefined) ?? 'auto' } : {}),
    options: resolved,
  };
}

/** Published for learned ones: 4 at the start, and the gradient turned around over 10 of 240 epochs (here in a line). */
const LEARNED = { temperature: 4, schedule: { reversal: { from: 0, to: 1, over: 1 / 24 } } };

function temperatureOf(
  loss: Loss,
  written: number | 'learned' | undefined,
): Pick<ObjectiveTerm, 'temperature' | 'schedule'> {
  if (written === 'learned') return LEARNED;
  const temperature = written ?? loss.temperature;
  return temperature === undefined ? {} : { temperature };
}

/** A published weight of logits is a number at once; of hidden tensors it depends on how many there are. */
function weightOf(
  loss: Loss,
  written: number | 'auto' | 'published' = 1,
  options: Readonly<Record<string, unknown>>,
): Pick<ObjectiveTerm, 'weight' | 'weighing'> {
  if (typeof written === 'number') return { weight: written };
  if (written === 'auto') return { weight: 1, weighing: 'auto' };
  const weight = loss.publishedWeight?.(options);
  if (weight === undefined) {
    const which = loss.publishedWeight ? ' with these options' : '';
    throw new RetortError(
      'SPEC_INVALID',
      `/objective/terms: the loss "${loss.name}" has no published weight${which}`,
      { hint: 'Give it a number, or "auto".' },
    );
  }
  return loss.features || loss.layers ? { weight: 1, weighing: 'published' } : { weight };
}

type WrittenTensors = string | readonly string[] | undefined;

/** Both sides of a term as equally long lists of names, or both `auto`. */
function tensorsOf(
  { name, features }: Loss,
  from: WrittenTensors,
  to: WrittenTensors,
): Pick<ObjectiveTerm, 'from' | 'to'> {
  const refuse = (why: string): never => {
    throw new RetortError('SPEC_INVALID', `/objective/terms: "${name}" ${why}`, {
      hint: 'Name tensors of the teacher in "from" and as many of the student in "to".',
    });
  };
  const listed = (names: WrittenTensors): TensorNames =>
    names === undefined || names === 'auto' ? 'auto' : [names].flat();
  const [teacher, student] = [listed(from), listed(to)];
  if (teacher === 'auto' && student === 'auto') {
    return features?.auto ? { from: teacher, to: student } : refuse('cannot find its tensors by itself');
  }
  if (teacher === 'auto' || student === 'auto') return refuse('names tensors of one side only');
  if (teacher.length !== student.length) {
    return refuse(`names ${teacher.length} tensors of the teacher and ${student.length} of the student`);
  }
  return { from: teacher, to: student };
}
