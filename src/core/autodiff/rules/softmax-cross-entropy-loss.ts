import { arithmetic } from '../emit/arithmetic.ts';
import { labelGradient } from '../emit/class-loss.ts';
import { classLossSamples } from '../emit/class-loss-samples.ts';
import type { GradientRule } from '../rule.ts';

/**
 * lp = logsoftmax(x) over classes (the optional second output), L = -w lp[label], reduced. dlp is -dL w at the label,
 * plus the second output's own cotangent; dx = dlp - e^lp sum(dlp).
 * https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html
 */
export const softmaxCrossEntropyLoss: GradientRule = {
  op: 'SoftmaxCrossEntropyLoss',
  differentiable: [0],
  samples: [...classLossSamples(1), ...classLossSamples(2).slice(0, 2)],
  backward: (c) => {
    const { b } = c;
    const m = arithmetic(b, b.dtype(c.x(0)));
    const lp = c.node.outputs[1] || b.op('LogSoftmax', [c.x(0)], { axis: 1 });
    const label = labelGradient(c);
    const dlp = c.hasDy(1) ? m.add(label, c.dy(1)) : label;
    const shared = b.op('ReduceSum', [dlp, b.ints([1])], { keepdims: 1 });
    const others = c.node.inputs.slice(1).map(() => undefined);
    return [m.sub(dlp, m.mul(m.exp(lp), shared)), ...others];
  },
};
