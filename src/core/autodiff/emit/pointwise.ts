import type { AttributeInput } from '../../onnx/attributes.ts';
import type { Node } from '../../onnx/model.ts';
import type { GradientRule, RuleSample } from '../rule.ts';
import { type Arithmetic, arithmetic } from './arithmetic.ts';

/** What the gradient of y = f(x) sees, for f applied element by element. */
export interface Pointwise {
  readonly node: Node;
  readonly m: Arithmetic;
  readonly x: string;
  readonly y: string;
  readonly dy: string;
}

/** The rule of a one-input elementwise operator; `gradient` returns dx = dy f'(x). */
export function pointwise(
  op: string,
  gradient: (p: Pointwise) => string,
  samples: readonly RuleSample[],
): GradientRule {
  return {
    op,
    differentiable: [0],
    samples,
    backward: (c) => {
      const x = c.x(0);
      return [gradient({ node: c.node, m: arithmetic(c.b, c.b.dtype(x)), x, y: c.y(0), dy: c.dy(0) })];
    },
  };
}

interface PointwiseSampling {
  readonly range?: readonly [number, number];
  /** Kinks to stay away from. */
  readonly away?: readonly number[];
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
}

/** The usual evidence for an elementwise operator: a matrix, a scalar, a volume with a dimension of one. */
export function pointwiseSamples(options: PointwiseSampling = {}): RuleSample[] {
  const { range = [-2.5, 2.5], away, name, attributes } = options;
  const shapes: readonly (readonly number[])[] = [[3, 4], [], [2, 1, 3]];
  return shapes.map((shape) => ({
    name: `${name ? `${name}, ` : ''}shape [${shape.join(', ')}]`,
    inputs: [{ shape, range, ...(away ? { away } : {}) }],
    ...(attributes ? { attributes } : {}),
  }));
}
