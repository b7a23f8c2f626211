import { feedInputs, type Model, type ValueInfo } from '../core/onnx/model.ts';
import { RetortError } from '../errors.ts';
import { nearest } from '../spec/nearest.ts';
import type { ResolvedSpec } from '../spec/resolved-spec.ts';
import type { ConstantInput, TeacherPlan } from './teacher-plan.ts';

/** How this teacher is to be run, and the model to run. */
export function planTeacher(
  model: Model,
  spec: ResolvedSpec,
): Omit<TeacherPlan, 'model'> & { readonly tapped: Model } {
  const inputs = feedInputs(model.graph);
  const { data, constants } = assignInputs(inputs, spec);
  const output = model.graph.outputs[0]!;
  const first = data.shape?.[0];
  const classes = output.shape?.slice(1).reduce<number>((n, dim) => n * Number(dim), 1) ?? 0;
  return {
    tapped: model,
    batch: typeof first === 'number' ? first : null,
    input: {
      name: data.name,
      dtype: data.dtype!,
      shape: data.shape!.slice(1).map((dim) => (typeof dim === 'number' ? dim : null)),
    },
    constants,
    scores: { name: output.name, classes, kind: 'logits' },
  };
}

/** Which input is fed from data, and what the others get. */
function assignInputs(
  inputs: readonly ValueInfo[],
  spec: ResolvedSpec,
): { readonly data: ValueInfo; readonly constants: readonly ConstantInput[] } {
  const names = inputs.map((input) => input.name);
  for (const name of Object.keys(spec.inputs)) {
    if (names.includes(name) || (name === '*' && names.length === 1)) continue;
    const meant = nearest(name, names);
    throw new RetortError('SPEC_INVALID', `/inputs/${name}: the teacher has no such input`, {
      hint: `It has ${names.join(', ')}${meant ? `; did you mean "${meant}"?` : ''}.`,
    });
  }
  const constants = inputs.filter((input) => spec.inputs[input.name]?.constant);
  const open = inputs.filter((input) => !constants.includes(input));
  const named = open.filter((input) => spec.inputs[input.name]);
  const [data] = open.length === 1 ? open : named.length === 1 ? named : [];
  const unfed = open.filter((input) => input !== data);
  if (!data || unfed.length > 0) {
    throw new RetortError(
      'DATA_MISMATCH',
      `the teacher has ${inputs.length} inputs (${names.join(', ')}); one is fed from data, the others need a constant`,
      {
        hint: 'Declare each in inputs: {"name": {"constant": [0.5]}}.',
        problems: unfed.map((input) => `"${input.name}" gets nothing`),
      },
    );
  }
  if (!data.dtype || !data.shape?.length) {
    throw new RetortError('ONNX_UNSUPPORTED', `the teacher's input "${data.name}" is no tensor with a batch`);
  }
  return {
    data,
    constants: constants.map((input) => constantFor(input, spec.inputs[input.name]!.constant!)),
  };
}

function constantFor(input: ValueInfo, values: readonly number[]): ConstantInput {
  const dims = (input.shape ?? []).map((dim, i) => (typeof dim === 'number' ? dim : i === 0 ? -1 : 1));
  return { name: input.name, dtype: input.dtype ?? 'float32', dims, values };
}
