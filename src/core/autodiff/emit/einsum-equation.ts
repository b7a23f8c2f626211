import { RetortError } from '../../../errors.ts';
import { stringAttribute } from '../../onnx/attributes.ts';
import type { RuleContext } from '../rule.ts';

/** An Einsum with every axis named by one label: labels of each operand and of the result. */
export interface Equation {
  readonly operands: readonly (readonly string[])[];
  readonly result: readonly string[];
}

/**
 * The equation of an Einsum node. An ellipsis becomes labels of its own, counted from its end ('0' is the last axis it
 * covers), so that they line up as broadcasting does. Without an arrow the result has the ellipsis, then every label
 * that occurs once, in alphabetical order.
 */
export function einsumEquation(c: RuleContext): Equation {
  const text = stringAttribute(c.node, 'equation', '').replaceAll(' ', '');
  const [left, right] = text.split('->');
  const terms = left!.split(',');
  const operands = terms.map((term, i) => {
    const rank = c.b.dims(c.x(i)).length;
    return expand(term, rank - term.replace('...', '').length);
  });
  const covered = Math.max(...operands.map((labels) => labels.filter(isEllipsis).length));
  const result = expand(right ?? implicit(left!), covered);
  for (const labels of [...operands, result]) {
    if (new Set(labels).size === labels.length) continue;
    throw new RetortError(
      'GRAD_MISSING_RULE',
      `Einsum "${c.node.name}": a label that repeats within one operand (${text}) has no gradient rule`,
      { hint: 'Take the diagonal by GatherND first.' },
    );
  }
  return { operands, result };
}

const isEllipsis = (label: string): boolean => /^\d+$/.test(label);

function expand(term: string, covered: number): string[] {
  const labels = Array.from({ length: covered }, (_, i) => String(covered - 1 - i));
  const [before, after] = term.split('...');
  return after === undefined ? [...before!] : [...before!, ...labels, ...after];
}

function implicit(left: string): string {
  const letters = [...left.replace(/[^A-Za-z]/g, '')];
  const once = letters.filter((label) => letters.filter((other) => other === label).length === 1).sort();
  return (left.includes('...') ? '...' : '') + once.join('');
}
