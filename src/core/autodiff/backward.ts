import { invariant, RetortError } from '../../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import { isFloat } from '../onnx/dtype.ts';
import type { Node } from '../onnx/model.ts';
import { activeValues } from './activity.ts';
import { Refusals } from './refusals.ts';
import type { RuleContext, Target } from './rule.ts';
import { rulesBetween } from './rules-between.ts';
import { sumTo } from './sum-to.ts';
import { zerosLike } from './zeros-like.ts';

export interface GradientRequest {
  /** A loss of one element, or the cotangent of each output value by name. */
  readonly outputs: string | ReadonlyMap<string, string>;
  /** Values to differentiate by: parameters, inputs or anything in between. */
  readonly wrt: readonly string[];
  readonly target: Target;
}

/**
 * Reverse-mode differentiation: adds to `b` the nodes that compute, for every value in `wrt`,
 * d(sum over outputs of <output, cotangent>) / d(value), and returns the names of these gradients.
 * Only nodes on a path from `wrt` to an output are visited. Un-broadcasting and accumulation happen here and nowhere else.
 * The nodes it adds are ordinary ones and can be differentiated again.
 */
export function appendGradients(b: GraphBuilder, request: GradientRequest): Map<string, string> {
  const { outputs, wrt, target } = request;
  for (const name of wrt) {
    if (!isFloat(b.dtype(name))) {
      throw new RetortError('GRAD_FORBIDDEN', `"${name}" is ${b.dtype(name)} and has no gradient`);
    }
  }
  const active = activeValues(b, wrt);
  const cotangents = seeds(b, outputs);
  // Rules are looked up for all nodes before any is applied, so that a missing one is reported as just that.
  const steps = rulesBetween(b, active, [...cotangents.keys()]);
  const refusals = new Refusals();
  const parts = new Map<string, string[]>();
  const give = (value: string, gradient: string) => {
    parts.set(value, [...(parts.get(value) ?? []), gradient]);
  };
  /** The accumulated cotangent of a value, or undefined where nothing asked for it. */
  const total = (value: string): string | undefined => {
    const list = parts.get(value);
    if (!list || list.length === 0) return undefined;
    const sum = list.reduce((left, right) => b.op('Add', [left, right], {}, { name: `d_${value}` }));
    parts.set(value, [sum]);
    return sum;
  };

  for (const [value, cotangent] of cotangents) if (active.has(value)) give(value, cotangent);
  for (const { node, rule } of steps) {
    if (!node.outputs.some((name) => parts.has(name))) continue;
    const context = ruleContext(b, node, target, active, total);
    // Zeros in place of what a rule refuses let those before it say what they refuse.
    const gradients =
      refusals.attempt(() => rule.backward(context)) ??
      node.inputs.map((name, i) => (context.wants(i) ? zerosLike(b, name) : undefined));
    for (const [i, gradient] of gradients.entries()) {
      if (gradient === undefined || !context.wants(i)) continue;
      const fitted = sumTo(b, gradient, b.dims(node.inputs[i]!));
      const [made, wanted] = [b.dims(fitted).join(), b.dims(node.inputs[i]!).join()];
      invariant(made === wanted, `rule ${node.op} made a gradient [${made}] for input ${i} [${wanted}]`);
      give(node.inputs[i]!, fitted);
    }
  }
  refusals.check();
  return new Map(wrt.map((name) => [name, total(name) ?? zerosLike(b, name)]));
}

function seeds(b: GraphBuilder, outputs: GradientRequest['outputs']): ReadonlyMap<string, string> {
  if (typeof outputs !== 'string') return outputs;
  const dims = b.dims(outputs);
  if (dims.some((dim) => dim !== 1)) {
    throw new RetortError('ONNX_SHAPE', `the loss "${outputs}" must have one element; it is [${dims}]`);
  }
  return new Map([[outputs, b.constant([1], b.dtype(outputs), dims)]]);
}

function ruleContext(
  b: GraphBuilder,
  node: Node,
  target: Target,
  active: ReadonlyMap<string, string>,
  total: (value: string) => string | undefined,
): RuleContext {
  const input = (i: number): string => {
    invariant(node.inputs[i], `${node.op} "${node.name}" has no input ${i}`);
    return node.inputs[i];
  };
  const wants = (i: number) => Boolean(node.inputs[i] && active.has(node.inputs[i]));
  return {
    node,
    b,
    target,
    x: input,
    hasX: (i) => Boolean(node.inputs[i]),
    y: (i) => node.outputs[i]!,
    dy: (i) => total(node.outputs[i]!) ?? zerosLike(b, node.outputs[i]!),
    hasDy: (i) => Boolean(node.outputs[i] && total(node.outputs[i])),
    wants,
    through: (composition) => {
      // By names of their own, since a node may read one value twice.
      const inputs = node.inputs.map((name, i) => (wants(i) ? b.op('Identity', [name]) : name));
      const made = composition(b, { ...node, inputs });
      const asked = made.flatMap((value, i) => {
        const cotangent = node.outputs[i] && total(node.outputs[i]);
        return cotangent ? [[value, cotangent] as const] : [];
      });
      const wrt = inputs.filter((_, i) => wants(i));
      const gradients = appendGradients(b, { outputs: new Map(asked), wrt, target });
      return inputs.map((name) => gradients.get(name));
    },
    constant: (i) => {
      const value = b.type(input(i)).constant ?? b.type(input(i)).setting ?? b.initializers.get(input(i));
      if (value && !active.has(input(i))) return value;
      throw new RetortError(
        'GRAD_MISSING_RULE',
        `${node.op} "${node.name}": the gradient needs input ${i} ("${input(i)}") to be a constant`,
        { hint: 'Fold the shape arithmetic first (static shapes).' },
      );
    },
  };
}
