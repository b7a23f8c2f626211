import * as tf from '@tensorflow/tfjs-core';
import { stringAttribute } from '../../../../core/onnx/attributes.ts';
import { RetortError } from '../../../../errors.ts';
import { broadcast, laids, type Operator, type Operators } from './operator.ts';
import { product } from './windows.ts';

/** A tensor whose axes have names. */
interface Term {
  readonly value: tf.Tensor;
  readonly labels: readonly string[];
}

/**
 * Einsum as sums, transpositions and matrix products, each with a gradient (tfjs's own has none). Operands are taken
 * together from the left; what no later one and no result asks for is summed at once.
 */
const einsum: Operator = (x, node) => {
  const text = stringAttribute(node, 'equation', '').replaceAll(' ', '');
  const [left, right] = text.split('->') as [string, string | undefined];
  const values = laids(x).map((value) => value.in('first'));
  const labels = left.split(',').map((term, i) => named(term, values[i]!.rank));
  const covered = Math.max(0, ...labels.map((list) => list.filter((label) => /^\d+$/.test(label)).length));
  const result = named(
    right ?? implicit(left),
    (right ?? implicit(left)).replace('...', '').length + covered,
  );
  for (const list of [...labels, result]) {
    if (new Set(list).size === list.length) continue;
    throw new RetortError(
      'TRAIN_UNSUPPORTED',
      `Einsum "${node.name}" names an axis twice in one term: ${text}`,
      {
        hint: 'Take the diagonal by GatherND first.',
      },
    );
  }
  const wantedAfter = (i: number) => new Set([...result, ...labels.slice(i + 1).flat()]);
  let all = summedTo({ value: values[0]!, labels: labels[0]! }, wantedAfter(0));
  values.slice(1).forEach((value, i) => {
    all = joined(all, { value, labels: labels[i + 1]! }, wantedAfter(i + 1));
  });
  return ordered(all, result).value;
};

/** A label per axis; the axes an ellipsis covers are counted from their end, so that they line up as broadcasting does. */
function named(term: string, rank: number): string[] {
  const [before, after] = term.split('...') as [string, string | undefined];
  if (after === undefined) return [...before];
  const covered = rank - before.length - after.length;
  return [...before, ...Array.from({ length: covered }, (_, i) => String(covered - 1 - i)), ...after];
}

/** Without an arrow: the ellipsis, then every label that occurs once, in alphabetical order. */
function implicit(left: string): string {
  const letters = [...left.replace(/[^A-Za-z]/g, '')];
  const once = letters.filter((label) => letters.filter((other) => other === label).length === 1).sort();
  return (left.includes('...') ? '...' : '') + once.join('');
}

function summedTo({ value, labels }: Term, wanted: ReadonlySet<string>): Term {
  const axes = labels.map((_, i) => i).filter((i) => !wanted.has(labels[i]!));
  if (axes.length === 0) return { value, labels };
  return { value: tf.sum(value, axes), labels: labels.filter((label) => wanted.has(label)) };
}

/** The axes of a term in the order of `labels`, all of which it has. */
function ordered({ value, labels }: Term, wanted: readonly string[]): Term {
  const perm = wanted.map((label) => labels.indexOf(label));
  const straight = perm.every((axis, i) => axis === i);
  return { value: straight ? value : tf.transpose(value, perm), labels: wanted };
}

/** The product of two terms, summed to the labels wanted: [shared, own, summed] x [shared, summed, own]. */
function joined(a: Term, b: Term, wanted: ReadonlySet<string>): Term {
  const both = a.labels.filter((label) => b.labels.includes(label));
  const [shared, inner] = [both.filter((l) => wanted.has(l)), both.filter((l) => !wanted.has(l))];
  const keep = new Set([...wanted, ...both]);
  const sides = [a, b].map((term) => {
    const rest = summedTo(term, keep);
    const own = rest.labels.filter((label) => !both.includes(label));
    return { own, ...ordered(rest, [...shared, ...own, ...inner]) };
  }) as [Term & { own: string[] }, Term & { own: string[] }];
  const dims = (labels: readonly string[]) =>
    labels.map((label) => Math.max(...sides.map((s) => s.value.shape[s.labels.indexOf(label)] ?? 1)));
  const [stack, depth] = [dims(shared), dims(inner)];
  const [left, right] = sides.map(({ value, own }) => {
    const whole = broadcast(value, [...stack, ...dims(own), ...depth]);
    return tf.reshape(whole, [product(stack), product(dims(own)), product(depth)]);
  }) as [tf.Tensor3D, tf.Tensor3D];
  const labels = [...shared, ...sides[0].own, ...sides[1].own];
  return { value: tf.reshape(tf.matMul(left, right, false, true), dims(labels)), labels };
}

export const einsums: Operators = { Einsum: einsum };
