import type { GraphBuilder } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import type { Node } from '../onnx/model.ts';
import { readsOf } from '../onnx/walk.ts';
import { rules } from './rules/index.ts';

/** The rule or stop of a node; rules are for the default domain. */
export const ruleOf = (node: Node) => (node.domain === '' ? rules.get(node.op) : undefined);

/**
 * The values that vary with `wrt`, each mapped to the value it got that from (itself for members of `wrt`).
 * Declared stops and outputs that are no floats end the influence: their derivative is zero by design.
 */
export function activeValues(b: GraphBuilder, wrt: readonly string[]): Map<string, string> {
  const via = new Map(wrt.map((name) => [name, name]));
  for (const node of b.nodes) {
    const source = readsOf(node).find((name) => via.has(name));
    const rule = ruleOf(node);
    if (source === undefined || (rule && 'stop' in rule)) continue;
    for (const name of node.outputs) {
      // An unknown element type is kept: a missing rule must be reported, never taken for a zero.
      if (name === '' || via.has(name)) continue;
      const { dtype } = b.type(name);
      if (dtype === undefined || isFloat(dtype)) via.set(name, source);
    }
  }
  return via;
}

/** The nodes on a path from `wrt` to `outputs`, last first. Declared stops lie on none. */
export function nodesBetween(
  b: GraphBuilder,
  active: ReadonlyMap<string, string>,
  outputs: Iterable<string>,
): Node[] {
  const needed = new Set([...outputs].filter((name) => active.has(name)));
  const found: Node[] = [];
  for (const node of [...b.nodes].reverse()) {
    const rule = ruleOf(node);
    const sources = readsOf(node).filter((name) => active.has(name));
    if (sources.length === 0 || (rule && 'stop' in rule)) continue;
    if (!node.outputs.some((name) => needed.has(name))) continue;
    found.push(node);
    for (const name of sources) needed.add(name);
  }
  return found;
}

/** How influence came to `name`, for messages: `weight -> conv -> relu`. */
export function pathTo(name: string, via: ReadonlyMap<string, string>): string {
  const path = [name];
  for (let at = name; via.get(at) !== at; ) {
    at = via.get(at)!;
    path.unshift(at);
  }
  return path.length <= 8 ? path.join(' -> ') : [...path.slice(0, 3), '...', ...path.slice(-4)].join(' -> ');
}
