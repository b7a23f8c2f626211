import { activeValues } from '../../core/autodiff/activity.ts';
import { rulesBetween } from '../../core/autodiff/rules-between.ts';
import { intAttribute } from '../../core/onnx/attributes.ts';
import { GraphBuilder } from '../../core/onnx/builder.ts';
import { type DType, dtypes } from '../../core/onnx/dtype.ts';
import { indexedTable } from '../../core/onnx/indexed-table.ts';
import { inferShapes, typeOf } from '../../core/onnx/infer-shapes.ts';
import { joinModels } from '../../core/onnx/join.ts';
import { feedInputs, type Model, type Node } from '../../core/onnx/model.ts';
import { namesIn, renameValues } from '../../core/onnx/passes/graph-edit.ts';
import { applyPass } from '../../core/onnx/passes/pass.ts';
import { prepareTraining } from '../../core/onnx/passes/prepare-training.ts';
import { prune } from '../../core/onnx/passes/prune.ts';
import { setBatch } from '../../core/onnx/passes/set-batch.ts';
import { tapLogits } from '../../core/onnx/tap-logits.ts';
import { numbers } from '../../core/onnx/tensor.ts';
import { trainableNames } from '../../core/program/trainable.ts';
import { GIVEN_PREFIX, OWN_PREFIX } from '../../core/students/own-names.ts';
import type { InputPlan } from '../../data/preprocess.ts';
import { RetortError } from '../../errors.ts';
import { type InputRange, outsideTable } from '../teacher/input-range.ts';
import { type FurtherInput, furtherInputs, rowsInput, type TeacherFeeding } from './further-inputs.ts';
import { STUDENT_INPUT, STUDENT_LOGITS } from './student-names.ts';

/** The rows an uploaded student gets: those of the teacher. */
export interface FedRows extends Pick<InputPlan, 'dims' | 'dtype'> {
  /** Of whole numbers; null for pictures and floats. */
  readonly range: InputRange | null;
  /** How the teacher itself is fed. */
  readonly feeding: TeacherFeeding;
}

/**
 * An uploaded model as a trainable student over the teacher's raw rows [N, ...dims], its scores under our name. Rows come
 * in float32, and whole numbers that it takes are cast behind that; further inputs hold the teacher's constants (ADR 15).
 */
export function adoptStudent(uploaded: Model, fed: FedRows, classes: number): Model {
  const { dims, range, feeding } = fed;
  const refuse = (why: string): never => {
    throw new RetortError('STUDENT_UNFIT', `the uploaded student ${why}`, {
      hint: 'It must take rows shaped as the teacher takes them, float32, or int32 or int64 where the teacher takes whole numbers, and return class scores [N, classes].',
    });
  };
  const tap = tapLogits(uploaded) ?? refuse('has no tensor with class scores');
  const cut = applyPass(prune, uploaded, { outputs: [tap.tensor], inputs: true });
  const input = rowsInput(feedInputs(cut.graph), feeding);
  if (!input) return refuse('has no input for rows');
  const unfit = unfitNumbers(input.dtype, fed);
  if (unfit) refuse(unfit);
  const inner = input.shape?.slice(1) ?? [];
  const fits =
    inner.length === dims.length && inner.every((dim, i) => typeof dim !== 'number' || dim === dims[i]);
  if (!fits) refuse(`takes rows [${inner.join(', ')}], the teacher takes [${dims.join(', ')}]`);
  const free = typeof input.shape![0] === 'number' ? applyPass(setBatch, cut, { batch: 'N' }) : cut;
  const further = furtherInputs(feedInputs(free.graph), input, dims, feeding);
  const shapes = Object.fromEntries(further.map(({ name, shape }) => [name, shape]));
  const prepared = prepareTraining(free, { shapes: { ...shapes, [input.name]: ['N', ...dims] } });
  // First of all: behind an operator that is not known no shape is.
  const b = GraphBuilder.from(prepared.graph, prepared.opsets);
  rulesBetween(b, activeValues(b, trainableNames(prepared.graph)), [tap.tensor]);
  const inferred = inferShapes(prepared);
  const scores = typeOf(inferred, tap.tensor).shape ?? [];
  if (scores.length !== 2 || scores[1] !== classes) {
    refuse(`returns scores [${scores.join(', ')}], the teacher's are [N, ${classes}]`);
  }
  const table = indexedTable(prepared.graph, inferred.types, input.name);
  const outside = range && table && outsideTable(range, table);
  if (outside) {
    refuse(
      `has ${table.rows} rows in its table "${table.name}", row ${outside.row} of the dataset holds the id ${outside.value}`,
    );
  }
  for (const { name, values } of further) {
    const table = indexedTable(prepared.graph, inferred.types, name);
    const id = table && numbers(values).find((value) => value >= table.rows || value < -table.rows);
    if (id !== undefined)
      refuse(`has ${table!.rows} rows in its table "${table!.name}", "${name}" gets the id ${id}`);
  }
  const learning = apart({
    ...prepared,
    graph: { ...prepared.graph, nodes: prepared.graph.nodes.map(learns) },
  });
  if (trainableNames(learning.graph).length === 0) refuse('has no parameters to train');
  const head = gate(STUDENT_INPUT, 'uploaded_input', ['N', ...dims], input.dtype, further);
  const headed = joinModels(head, learning, {
    connect: {
      [own(input.name)]: 'uploaded_input',
      ...Object.fromEntries(further.map(({ name }) => [own(name), givenRows(name)])),
    },
  });
  const tail = gate('uploaded_scores', STUDENT_LOGITS, ['N', classes]);
  return joinModels(headed, tail, { connect: { uploaded_scores: own(tap.tensor) } });
}

const own = (name: string): string => OWN_PREFIX + name;

/** Its values under names that training uses for nothing else: a graph may well call one "loss" or "labels". */
function apart(model: Model): Model {
  const names = [...namesIn(model)].filter((name) => name !== '');
  return { ...model, graph: renameValues(model.graph, new Map(names.map((name) => [name, own(name)]))) };
}

/** Batch normalisation that was exported for inference learns again; its running statistics follow the batches. */
function learns(node: Node): Node {
  const isFrozen =
    node.op === 'BatchNormalization' && node.domain === '' && intAttribute(node, 'training_mode', 0) === 0;
  if (!isFrozen) return node;
  return {
    ...node,
    attributes: { ...node.attributes, training_mode: { type: 'int', value: 1n } },
    outputs: [node.outputs[0]!, `${node.inputs[3]}.next`, `${node.inputs[4]}.next`],
  };
}

/** Why the student cannot take the teacher's rows as the numbers it wants; undefined where it can. */
function unfitNumbers(wanted: DType | undefined, { dtype, range }: FedRows): string | undefined {
  if (wanted === 'float32') return undefined;
  if (wanted !== 'int32' && wanted !== 'int64') return `takes ${wanted}, not float32, int32 or int64`;
  if (dtype === 'float32')
    return `takes ${wanted}, the teacher numbers with fractions, which would be cut off`;
  const inexact = range && [range.least, range.greatest].find(({ value }) => Math.abs(value) > EXACT);
  if (!inexact) return undefined;
  return `takes ${wanted}, and row ${inexact.row} of the dataset holds ${inexact.value}: whole numbers beyond ${EXACT} are rounded in training`;
}

/** Whole numbers up to here are exact in float32. */
const EXACT = 2 ** 24;

/** What a further input is to the student: expanded to its rows. */
const givenRows = (name: string): string => `${GIVEN_PREFIX}${name}/rows`;

/** A graph that hands float32 values on under another name, in another type where asked, and constants beside them. */
function gate(
  from: string,
  to: string,
  shape: readonly (number | string)[],
  dtype: DType = 'float32',
  further: readonly FurtherInput[] = [],
): Model {
  const b = new GraphBuilder();
  const [op, attributes] = dtype === 'float32' ? ['Identity', {}] : ['Cast', { to: dtypes[dtype].code }];
  b.output(b.op(op, [b.input(from, 'float32', shape)], attributes, { outputs: [to] }));
  for (const { name, values, shape } of further) {
    const value = b.initializer(GIVEN_PREFIX + name, values);
    // Read behind the cast: whatever else reads the rows themselves would keep the exported student from taking integers.
    const counted = shape.map((dim) =>
      typeof dim === 'number' ? b.ints([dim]) : b.op('Shape', [to], { start: 0, end: 1 }),
    );
    const target = b.op('Concat', counted, { axis: 0 });
    b.output(b.op('Expand', [value, target], {}, { outputs: [givenRows(name)] }));
  }
  return b.model('student');
}
