import { invariant, RetortError } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import type { Node } from '../onnx/model.ts';
import { nodesBetween, pathTo, ruleOf } from './activity.ts';
import { erfGelus } from './erf-gelu.ts';
import { Refusals } from './refusals.ts';
import type { GradientRule } from './rule.ts';

/** What is differentiated at once: a node, or a chain of nodes in the place of one. */
interface Step {
  readonly node: Node;
  readonly rule: Pick<GradientRule, 'backward'>;
}

/**
 * The nodes on a path from the active values to `outputs`, last first, with their rules. GRAD_MISSING_RULE or
 * GRAD_FORBIDDEN where some have none or vary by an input that has no gradient: all of them are named.
 */
export function rulesBetween(
  b: GraphBuilder,
  active: ReadonlyMap<string, string>,
  outputs: readonly string[],
): Step[] {
  const refusals = new Refusals();
  const nodes = nodesBetween(b, active, outputs);
  const asked = [...active].filter(([name, from]) => name === from).map(([name]) => name);
  const chains = erfGelus(b, nodes, new Set([...outputs, ...asked]));
  const chainOf = new Map(chains.flatMap((chain) => chain.parts.map((part) => [part, chain] as const)));
  const steps = nodes.flatMap((node): readonly Step[] => {
    const chain = chainOf.get(node);
    if (chain) return node === chain.parts.at(-1) ? [chain] : [];
    const rule = refusals.attempt(() => ruleFor(node, active));
    return rule ? [{ node, rule }] : [];
  });
  refusals.check();
  return steps;
}

/** The rule of a node that gradient flows through, having checked that no forbidden input is asked. */
function ruleFor(node: Node, active: ReadonlyMap<string, string>): GradientRule {
  const title = `${node.domain ? `${node.domain}.` : ''}${node.op} "${node.name || node.outputs[0]}"`;
  const rule = ruleOf(node);
  if (!rule) {
    const output = node.outputs.find((name) => active.has(name))!;
    throw new RetortError(
      'GRAD_MISSING_RULE',
      `${title} has no gradient rule; it lies on the path ${pathTo(output, active)}`,
      { hint: 'Export the model with other operators in place of these.' },
    );
  }
  invariant(!('stop' in rule), `gradient reached the stop ${title}`);
  node.inputs.forEach((name, i) => {
    if (!active.has(name) || rule.differentiable === 'all' || rule.differentiable.includes(i)) return;
    throw new RetortError(
      'GRAD_FORBIDDEN',
      `${title}: input ${i} has no gradient, but it varies along ${pathTo(name, active)}`,
      { hint: 'Detach that value: train nothing before it.' },
    );
  });
  return rule;
}
