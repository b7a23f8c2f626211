import { intAttribute } from '../attributes.ts';
import type { Shape } from '../model.ts';
import { axisOf, dtypeOf, misfit, plainType, rankedShape, shapeOf } from './context.ts';
import { define, sample } from './define.ts';
import { isKnown, showShape } from './dims.ts';
import type { InferContext, ValueType } from './op.ts';

/** Normalisations: the first output has the data's type; some give statistics too. */

/** Per-channel vectors must have the channel count of x [N, C, ...]. */
function checkChannels(c: InferContext, inputs: readonly number[]): void {
  const channels = rankedShape(c, 0, 2)?.[1];
  for (const i of inputs) {
    const shape = shapeOf(c, i);
    if (shape && isKnown(channels) && isKnown(shape[0]) && shape[0] !== channels) {
      misfit(c, `input ${i} ${showShape(shape)} does not fit ${channels} channels`);
    }
  }
}

/** Outputs: y; in training mode also the new running mean and variance (old versions: saved ones, 5 outputs). */
function inferBatch(c: InferContext): ValueType[] {
  if ((shapeOf(c, 0)?.length ?? 2) > 1) checkChannels(c, [1, 2, 3, 4]);
  return [plainType(c, 0), plainType(c, 3), plainType(c, 4), plainType(c, 3), plainType(c, 4)];
}

const inferChannels = (c: InferContext): ValueType[] => {
  checkChannels(c, c.node.op === 'InstanceNormalization' ? [1, 2] : []);
  return [plainType(c, 0)];
};

/** y, and per row (all axes from `axis` on become 1) mean and inverse standard deviation in float32. */
function inferLayer(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  let rows: Shape | undefined;
  if (x) {
    const axis = axisOf(c, intAttribute(c.node, 'axis', -1), x.length);
    rows = x.map((dim, i) => (i < axis ? dim : 1));
    const scale = shapeOf(c, 1);
    const last = scale?.at(-1);
    if (scale && scale.length > x.length) misfit(c, `scale ${showShape(scale)} does not fit ${showShape(x)}`);
    if (isKnown(last) && last !== 1 && isKnown(x.at(-1)) && last !== x.at(-1)) {
      misfit(c, `scale ${showShape(scale)} does not fit ${showShape(x)}`);
    }
  }
  const statistics: ValueType = {
    dtype: dtypeOf(c, 0) === 'float64' ? 'float64' : 'float32',
    shape: rows,
  };
  return [plainType(c, 0), statistics, statistics];
}

/** com.microsoft SkipLayerNormalization: y, mean, inverse deviation, and the sum of both inputs. */
function inferSkip(c: InferContext): ValueType[] {
  const [y, mean, deviation] = inferLayer({
    ...c,
    node: { ...c.node, attributes: {} },
    inputs: [c.inputs[0]],
  });
  return [y!, mean!, deviation!, plainType(c, 0)];
}

const samples = {
  BatchNormalization: [
    sample([[2, 3, 4, 4], [3], [3], [3], [3]]),
    sample([[2, 3, 4], [3], [3], [3], [3]], { training_mode: 1 }, { outputs: 3 }),
  ],
  GroupNormalization: [sample([[2, 4, 3], [4], [4]], { num_groups: 2 }, { opset: 21 })],
  InstanceNormalization: [sample([[2, 3, 4, 4], [3], [3]])],
  LayerNormalization: [
    sample([[2, 3, 4], [4], [4]], {}, { outputs: 3 }),
    sample(
      [
        [2, 3, 4],
        [3, 4],
      ],
      { axis: 1 },
      { outputs: 3 },
    ),
  ],
  RMSNormalization: [sample([[2, 3, 4], [4]], {}, { opset: 23 })],
  SimplifiedLayerNormalization: [sample([[2, 3, 4], [4]])],
  SkipLayerNormalization: [sample([[2, 3, 4], [2, 3, 4], [4], [4]])],
  SkipSimplifiedLayerNormalization: [sample([[2, 3, 4], [2, 3, 4], [4]])],
};

export const normalization = define(
  [
    { op: 'BatchNormalization', infer: inferBatch },
    { op: 'GroupNormalization', infer: inferChannels },
    { op: 'InstanceNormalization', infer: inferChannels },
    { op: 'LayerNormalization', infer: inferLayer },
    { op: 'RMSNormalization', infer: inferLayer },
    { op: 'SimplifiedLayerNormalization', infer: inferLayer },
    { op: 'SkipLayerNormalization', domain: 'com.microsoft', infer: inferSkip },
    { op: 'SkipSimplifiedLayerNormalization', domain: 'com.microsoft', infer: inferSkip },
  ],
  samples,
);
