import { stringAttribute, toAttribute } from '../../attributes.ts';
import { type Converter, dtypeOf, unsupported, wholeNumbers } from './converter.ts';

/**
 * A label that repeats within one operand takes the diagonal: ii->i. An identity matrix beside it says the same with
 * labels that are all different, ij,ij->i, and that has a gradient everywhere.
 */
export const einsum: Converter = (node, r) => {
  const equation = stringAttribute(node, 'equation', '').replaceAll(' ', '');
  const [left = '', right] = equation.split('->');
  const terms = left.split(',');
  const free = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter(
    (l) => !equation.includes(l),
  );
  const inputs = [...node.inputs];
  const eyes: string[] = [];
  const distinct = terms.map((term, i) => {
    const seen = new Set<string>();
    const labels = [...term].map((label, at) => {
      if (label === '.' || !seen.has(label)) {
        seen.add(label);
        return label;
      }
      const other = free.shift() ?? unsupported(node, r, 'it uses every letter there is');
      const fromEnd = at - term.length;
      const size = r.type(node.inputs[i]!).shape?.at(term.includes('...') ? fromEnd : at);
      if (typeof size !== 'number') unsupported(node, r, `the size of label ${label} must be known`);
      eyes.push(`${label}${other}`);
      const identity = (k: number) => (k % (size + 1) === 0 ? 1 : 0);
      inputs.push(wholeNumbers(r, dtypeOf(node, r, i), [size, size], identity));
      return other;
    });
    return labels.join('');
  });
  if (eyes.length === 0) return false;
  const text = `${[...distinct, ...eyes].join()}->${right ?? implicit(left)}`;
  r.emit({ ...node, inputs, attributes: { ...node.attributes, equation: toAttribute(text) } });
  return true;
};

/** The result where none is written: what the ellipsis covers, then every label that occurs once, in order. */
function implicit(left: string): string {
  const letters = left.replace(/[^A-Za-z]/g, '');
  const once = [...letters].filter((label) => letters.indexOf(label) === letters.lastIndexOf(label)).sort();
  return (left.includes('...') ? '...' : '') + once.join('');
}
