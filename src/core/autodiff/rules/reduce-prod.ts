import { reduction, reductionSamples } from '../emit/reduction.ts';

/**
 * y = product of x over axes, so dx = dy (product of the other elements). With z = [x = 0] and s = x + z (no zeros),
 * the others' product is prod(s) / s where no other element is zero (sum(z) = z), else 0: never a division by zero.
 * Second derivatives are not represented where x is exactly zero. https://onnx.ai/onnx/operators/onnx__ReduceProd.html
 */
export const reduceProd = reduction(
  'ReduceProd',
  ({ m, x, dy, axes, total }, { b }) => {
    const zero = m.mask(m.equal(x, 0));
    const safe = m.add(x, zero);
    const product = axes.length === 0 ? safe : b.op('ReduceProd', [safe, b.ints(axes)], { keepdims: 1 });
    const othersNonzero = m.mask(m.equal(total(zero), zero));
    return m.mul(m.mul(dy, m.div(product, safe)), othersNonzero);
  },
  reductionSamples({ range: [-2, 2], away: [0] }),
);
