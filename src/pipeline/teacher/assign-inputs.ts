import { nearest } from '../../core/nearest.ts';
import { isFloat } from '../../core/onnx/dtype.ts';
import type { ValueInfo } from '../../core/onnx/model.ts';
import { RetortError } from '../../errors.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { alongRows } from './constant-tensor.ts';
import type { ConstantInput } from './teacher-plan.ts';

/**
 * Which input is fed from data, and what the others get. `needed` are the inputs the class scores depend on, `all` those
 * of the whole teacher: a spec may speak of any of them.
 */
export function assignInputs(
  needed: readonly ValueInfo[],
  all: readonly ValueInfo[],
  spec: Pick<ResolvedSpec, 'inputs'>,
): { readonly data: ValueInfo; readonly constants: readonly ConstantInput[] } {
  refuseUnknown(
    all.map((input) => input.name),
    needed.length,
    spec,
  );
  const constants = needed.filter((input) => spec.inputs[input.name]?.constant);
  const open = needed.filter((input) => !constants.includes(input));
  const named = open.filter((input) => spec.inputs[input.name]);
  const [data] = open.length === 1 ? open : named.length === 1 ? named : [];
  const unfed = open.filter((input) => input !== data);
  const names = needed.map((input) => input.name).join(', ');
  if (needed.length > 0 && open.length === 0) {
    throw new RetortError('SPEC_INVALID', `/inputs gives every input of the teacher a constant (${names})`, {
      hint: 'One is fed from data: leave out its "constant".',
    });
  }
  if (!data || unfed.length > 0) {
    throw new RetortError(
      'DATA_MISMATCH',
      `the teacher has ${needed.length} inputs (${names}); one is fed from data, the others need a constant`,
      {
        hint: 'Declare each in inputs: {"name": {"constant": [0.5]}}.',
        problems: unfed.map((input) => `"${input.name}" gets nothing`),
      },
    );
  }
  if (!data.dtype || data.dtype === 'string' || !data.shape?.length) {
    throw new RetortError(
      'ONNX_UNSUPPORTED',
      `the teacher's input "${data.name}" is no numeric tensor with a batch dimension`,
    );
  }
  return {
    data,
    constants: constants.map((input) => constantFor(input, spec.inputs[input.name]!.constant!, data)),
  };
}

function refuseUnknown(names: readonly string[], needed: number, spec: Pick<ResolvedSpec, 'inputs'>): void {
  for (const name of Object.keys(spec.inputs)) {
    if (names.includes(name) || (name === '*' && needed === 1)) continue;
    const meant = nearest(name, names);
    throw new RetortError('SPEC_INVALID', `/inputs/${name}: the teacher has no such input`, {
      hint: `${meant ? `Did you mean "${meant}"? ` : ''}It has ${names.join(', ')}.`,
    });
  }
}

/** An open first dimension is the batch, one that the rows have by that name is as long as theirs; other open ones hold one element. */
function constantFor(input: ValueInfo, values: readonly number[], rows: ValueInfo): ConstantInput {
  const { name, dtype = 'float32', shape = [] } = input;
  const fraction = isFloat(dtype) ? undefined : values.find((value) => !Number.isInteger(value));
  if (fraction !== undefined) {
    throw new RetortError(
      'SPEC_INVALID',
      `/inputs/${name}/constant: the teacher takes whole numbers there (${dtype}), not ${fraction}`,
    );
  }
  const dims = shape.map((dim, i) => {
    if (typeof dim === 'number') return dim;
    const at = alongRows(dim, i, rows);
    return at < 0 ? 1 : -1 - at;
  });
  return { name, dtype, dims, values };
}
