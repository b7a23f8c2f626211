import { invariant, RetortError } from '../../errors.ts';
import { losses } from '../losses/index.ts';
import type { Loss, LossContext, LossNeed } from '../losses/loss.ts';
import { GraphBuilder } from '../onnx/builder.ts';
import { feedInputs, type Model } from '../onnx/model.ts';
import type { OptimizerSpec } from '../optimizers/optimizer.ts';
import type { Curve } from '../schedules/curve.ts';
import { declareDropout } from './declared-dropout.ts';
import { featurePairs, type TeacherTap, tapInputs } from './feature-inputs.ts';
import { layersOf } from './layers-of.ts';
import { learnedTemperature } from './learned-temperature.ts';
import { CollectedParts } from './objective-parts.ts';
import type { Program, ProgramInput } from './program.ts';
import { withStaticBatch } from './static-batch.ts';
import { type StudentRows, studentRows } from './student-rows.ts';
import { runningStatistics, trainableNames } from './trainable.ts';

/** One weighted term of the objective: L = sum_k weight_k * loss_k. */
export interface ObjectiveTerm {
  /** Name in the loss registry. */
  readonly loss: string;
  readonly weight: number;
  readonly temperature?: number;
  readonly options: Readonly<Record<string, unknown>>;
  /** What of it changes during a phase: the weight times a curve, the others as their curves say. */
  readonly schedule?: Readonly<Partial<Record<ScheduledNumber, Curve>>>;
  /** Tensors of the teacher that are compared with those of the student, in pairs; `auto` until they are found. */
  readonly from?: TensorNames;
  readonly to?: TensorNames;
  /** Layers of the student alone, the deepest one last; `auto` until they are found. */
  readonly at?: TensorNames;
  /** Of pairs that `auto` has found: how alike they are before training (linear CKA). Decides nothing. */
  readonly likeness?: readonly number[];
  /** Where the spec has a word for the weight. While it is that word the weight is open, and 1 stands for it. */
  readonly weighing?: Weighing;
}

/** A word, or what `auto` has set the weight by: the term's value before training. */
export type Weighing = 'auto' | 'published' | { readonly initial: number };

/** `reversal`: the temperature is learned, and by how much its gradient is turned around. */
export type ScheduledNumber = 'weight' | 'temperature' | 'reversal';

export type TensorNames = 'auto' | readonly string[];

export interface ProgramRequest {
  /** Trainable student, opset 18, dynamic batch; its one output holds the logits [N, C]. */
  readonly student: Model;
  readonly terms: readonly ObjectiveTerm[];
  /** B. */
  readonly batchSize: number;
  readonly optimizer: OptimizerSpec;
  readonly clipNorm?: number;
  readonly ema?: { readonly decay: number };
  /** Tensors of the teacher that terms name in `from`. */
  readonly taps?: readonly TeacherTap[];
  /** Draws the starts of the objective's own parameters. Default 0. */
  readonly seed?: number;
}

/** Names of the inputs the objective adds, by need; both are [B, C] float32. */
export const OBJECTIVE_INPUTS = {
  labels: 'labels',
  'teacher-logits': 'teacher_logits',
} as const satisfies Record<Exclude<LossNeed, 'features' | 'layers'>, string>;

/** What the terms need besides the student's own output. */
export function needsOf(terms: readonly ObjectiveTerm[]): ReadonlySet<LossNeed> {
  return new Set(
    terms.flatMap((term) => {
      const loss = lossOf(term);
      return loss.needsWith?.(term.options) ?? loss.needs;
    }),
  );
}

/** Joins a student and an objective into the Program that a kernel trains. */
export function buildProgram(request: ProgramRequest): Program {
  const { student, terms, batchSize, taps = [] } = request;
  const { graph, noise } = declareDropout(withStaticBatch(student.graph, batchSize));
  const b = GraphBuilder.from(graph, student.opsets);
  const [logits] = graph.outputs;
  invariant(logits && graph.outputs.length === 1, 'a trainable student has one output, its logits');
  const [, classes] = b.dims(logits.name) as [number, number];

  const perClass = [...needsOf(terms)]
    .sort()
    .flatMap((need) =>
      need === 'features' || need === 'layers' ? [] : [{ name: OBJECTIVE_INPUTS[need], dims: [classes] }],
    );
  const objectiveInputs = [...perClass, ...tapInputs(taps)].map(
    ({ name, dims }): ProgramInput => ({
      name: b.input(name, 'float32', [batchSize, ...dims]),
      dtype: 'float32',
      dims: [batchSize, ...dims],
    }),
  );
  const scalars: string[] = [];
  /** A number of term i: fixed, or an input that follows its schedule. */
  const numberOf = (i: number, what: ScheduledNumber, fixed: number): string => {
    if (!terms[i]!.schedule?.[what]) return b.constant(fixed);
    const name = b.input(scalarName(metricName(terms, i), what), 'float32', []);
    scalars.push(name);
    return name;
  };
  const parts = new CollectedParts(b, request.seed ?? 0);
  const rowsOf = studentRows(student, batchSize);
  const learned: string[] = [];
  /** The temperature of term i, where its loss reads one: such a number, or learned. */
  const temperatureOf = (i: number, scope: string): string | undefined => {
    const term = terms[i]!;
    const fixed = term.temperature ?? lossOf(term).temperature;
    if (fixed === undefined) return undefined;
    if (!term.schedule?.reversal) return numberOf(i, 'temperature', fixed);
    const t = learnedTemperature(b, parts.of(scope), fixed, numberOf(i, 'reversal', 1));
    learned.push(b.op('Identity', [t], {}, { outputs: [scalarName(scope, 'temperature')] }));
    return t;
  };
  const values = terms.map((term, i) => {
    const scope = metricName(terms, i);
    const temperature = temperatureOf(i, scope);
    return appendTerm(b, term, logits.name, { parts, taps, rowsOf, scope, temperature });
  });
  const weighted = values.map((value, i) => b.op('Mul', [value, numberOf(i, 'weight', terms[i]!.weight)]));
  const loss = b.op(
    'Identity',
    [weighted.reduce((sum, value) => b.op('Add', [sum, value]))],
    {},
    { outputs: ['loss'] },
  );
  const metrics = [
    ...values.map((value, i) => b.op('Identity', [value], {}, { outputs: [metricName(terms, i)] })),
    ...learned,
  ];
  const state = [...runningStatistics(graph), ...parts.state];
  b.output(loss, ...metrics, ...state.map((pair) => pair.next));

  return {
    graph: b.build(student.graph.name),
    loss,
    metrics,
    parameters: [
      ...trainableNames(graph).map((name) => ({ name, owner: 'student' as const })),
      ...parts.parameters,
    ],
    state,
    batch: [
      ...feedInputs(graph)
        .filter((input) => !noise.some((each) => each.name === input.name))
        .map(({ name }) => ({ name, dtype: b.dtype(name), dims: b.dims(name) })),
      ...objectiveInputs,
    ],
    noise: [...noise, ...parts.noise],
    scalars,
    optimizer: request.optimizer,
    ...(request.clipNorm === undefined ? {} : { clipNorm: request.clipNorm }),
    ...(request.ema === undefined ? {} : { ema: request.ema }),
  };
}

interface Objective {
  readonly parts: CollectedParts;
  readonly taps: readonly TeacherTap[];
  readonly rowsOf: StudentRows;
  /** Names the term. */
  readonly scope: string;
  readonly temperature: string | undefined;
}

function appendTerm(
  b: GraphBuilder,
  term: ObjectiveTerm,
  studentLogits: string,
  { parts, taps, rowsOf, scope, temperature }: Objective,
): string {
  const loss = lossOf(term);
  const needs = needsOf([term]);
  const context: LossContext = {
    b,
    studentLogits,
    own: parts.of(scope),
    ...(loss.features
      ? {
          features: featurePairs(b, term, loss.features, { taps, rowsOf }, (pair) =>
            parts.of(`${scope}/${pair}`),
          ),
        }
      : {}),
    ...(needs.has('layers') ? { layers: layersOf(term, rowsOf) } : {}),
    ...(needs.has('labels') ? { labels: OBJECTIVE_INPUTS.labels } : {}),
    ...(needs.has('teacher-logits') ? { teacherLogits: OBJECTIVE_INPUTS['teacher-logits'] } : {}),
    ...(temperature === undefined ? {} : { temperature }),
  };
  return loss.build(context, term.options);
}

/** `term:<loss>`, numbered where a loss occurs twice. */
export function metricName(terms: readonly ObjectiveTerm[], index: number): string {
  const { loss } = terms[index]!;
  const earlier = terms.slice(0, index).filter((term) => term.loss === loss).length;
  return earlier === 0 ? `term:${loss}` : `term:${loss}:${earlier + 1}`;
}

/** Name of the scalar input that carries what of a term follows a schedule. */
export const scalarName = (term: string, what: ScheduledNumber): string => `${term}:${what}`;

function lossOf(term: ObjectiveTerm): Loss {
  const loss: Loss | undefined = (losses as Readonly<Record<string, Loss>>)[term.loss];
  if (!loss)
    throw new RetortError(
      'SPEC_INVALID',
      `unknown loss "${term.loss}"; known: ${Object.keys(losses).join(', ')}`,
    );
  return loss;
}
