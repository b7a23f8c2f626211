import { float } from '../onnx/attributes.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import type { Node } from '../onnx/model.ts';
import { numbers } from '../onnx/tensor.ts';
import { consumers, producers } from '../onnx/walk.ts';
import { arithmetic } from './emit/arithmetic.ts';
import type { GradientRule } from './rule.ts';

/** A chain of nodes that is differentiated as if it were one. */
export interface WholeChain {
  /** From the chain's input to its output. */
  readonly node: Node;
  readonly rule: Pick<GradientRule, 'backward'>;
  /** The nodes it stands for, the one that makes the output last. */
  readonly parts: readonly Node[];
}

/**
 * y = x Phi(x) with Phi the normal distribution: dx = dy (Phi(x) + x e^(-x^2/2) / sqrt(2 pi)).
 * Where five nodes and their rules take fourteen passes over the tensor, this takes nine and leaves the forward chain to the
 * engine, which runs it in one. Phi is recomputed: nothing but x is kept for it. HardSigmoid is the affine map of
 * erf in [-1, 1] to [0, 1].
 * https://onnx.ai/onnx/operators/onnx__Gelu.html
 */
const rule: WholeChain['rule'] = {
  backward: ({ b, x, dy }) => {
    const m = arithmetic(b, b.dtype(x(0)));
    const u = m.mul(x(0), Math.SQRT1_2);
    const phi = b.op('HardSigmoid', [b.op('Erf', [u])], { alpha: float(0.5), beta: float(0.5) });
    const density = m.exp(m.sub(-Math.log(2 * Math.PI) / 2, m.mul(u, u)));
    return [m.mul(dy(0), m.add(phi, m.mul(x(0), density)))];
  },
};

/** The chains x/2 (1 + erf(x / sqrt 2)) among `nodes`, in every order exporters multiply in, whose inner values nothing else reads. */
export function erfGelus(
  b: GraphBuilder,
  nodes: readonly Node[],
  kept: ReadonlySet<string>,
): readonly WholeChain[] {
  const erfs = nodes.filter(({ op, domain }) => op === 'Erf' && domain === '');
  return erfs.length === 0 ? [] : new Matcher(b, kept).chains(erfs);
}

class Matcher {
  readonly #b: GraphBuilder;
  readonly #makers: ReadonlyMap<string, Node>;
  readonly #readers: ReadonlyMap<string, readonly Node[]>;
  readonly #kept: ReadonlySet<string>;

  constructor(b: GraphBuilder, kept: ReadonlySet<string>) {
    this.#b = b;
    this.#kept = kept;
    this.#makers = producers(b);
    this.#readers = consumers(b);
  }

  chains(erfs: readonly Node[]): WholeChain[] {
    return erfs.flatMap((erf) => this.#chain(erf) ?? []);
  }

  #chain(erf: Node): WholeChain | undefined {
    const scaled = this.#makers.get(erf.inputs[0]!);
    const x = scaled && (this.#times(scaled, Math.SQRT1_2) ?? this.#over(scaled, Math.SQRT2));
    const plusOne = this.#onlyReader(erf);
    if (!x || !this.#onlyReader(scaled) || !plusOne || this.#plus(plusOne, 1) === undefined) return undefined;
    const product = this.#onlyReader(plusOne);
    if (product?.op !== 'Mul') return undefined;
    const other = product.inputs.find((name) => name !== plusOne.outputs[0]);
    if (other === undefined) return undefined;
    const start = [scaled, erf, plusOne];
    const half = this.#makers.get(other);
    if (half && this.#times(half, 0.5) === x && this.#onlyReader(half)) {
      return this.#whole(x, [...start, half, product]);
    }
    const last = this.#onlyReader(product);
    if (last?.op !== 'Mul') return undefined;
    const isWhole =
      other === x ? this.#times(last, 0.5) !== undefined : this.#is(other, 0.5) && last.inputs.includes(x);
    return isWhole ? this.#whole(x, [...start, product, last]) : undefined;
  }

  #whole(x: string, parts: readonly Node[]): WholeChain | undefined {
    const [y] = parts.at(-1)!.outputs as [string];
    const shape = this.#shape(x);
    if (shape === undefined || shape !== this.#shape(y)) return undefined;
    const node: Node = { op: 'Gelu', domain: '', name: y, inputs: [x], outputs: [y], attributes: {} };
    return { node, rule, parts };
  }

  /** Undefined where a size is unknown; the batch of an uploaded student is known by a name. */
  #shape(name: string): string | undefined {
    const { shape } = this.#b.type(name);
    return shape?.every((dim) => dim !== '') ? shape.join() : undefined;
  }

  /** The one node that reads what this one makes, where that is not asked for itself. */
  #onlyReader({ outputs: [name] }: Node): Node | undefined {
    const readers = this.#readers.get(name!) ?? [];
    return readers.length === 1 && !this.#kept.has(name!) ? readers[0] : undefined;
  }

  /** a where the node is a * value, a + value, a / value. */
  #times = (node: Node, value: number): string | undefined => this.#with('Mul', node, value);
  #plus = (node: Node, value: number): string | undefined => this.#with('Add', node, value);
  #over = ({ op, inputs }: Node, value: number): string | undefined =>
    op === 'Div' && this.#is(inputs[1]!, value) ? inputs[0] : undefined;

  #with(op: string, { op: own, inputs }: Node, value: number): string | undefined {
    if (own !== op) return undefined;
    const at = inputs.findIndex((name) => this.#is(name, value));
    return at < 0 ? undefined : inputs[1 - at];
  }

  #is(name: string, value: number): boolean {
    const type = this.#b.type(name);
    const known = type.constant ?? type.setting ?? this.#b.initializers.get(name);
    if (!known || this.#kept.has(name) || this.#b.dims(name).some((dim) => dim !== 1)) return false;
    // Exporters round to single precision.
    return Math.abs(numbers(known)[0]! / value - 1) < 1e-6;
  }
}
