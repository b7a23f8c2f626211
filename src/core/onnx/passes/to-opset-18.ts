import { RetortError } from '../../../errors.ts';
import { BUILD_OPSET } from '../builder.ts';
import type { Node } from '../model.ts';
import { allGraphs } from '../walk.ts';
import { withGraph } from './graph-edit.ts';
import { affineGrid } from './opset/affine-grid.ts';
import * as contrib from './opset/contrib.ts';
import type { Converter } from './opset/converter.ts';
import { einsum } from './opset/einsum.ts';
import * as fused from './opset/fused.ts';
import * as newer from './opset/newer.ts';
import * as normalization from './opset/normalization.ts';
import * as settings from './opset/settings.ts';
import * as windows from './opset/windows.ts';
import type { Pass } from './pass.ts';
import { Rewriter } from './rewriter.ts';

const reductions = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'Sum', 'SumSquare'];

/** Operators of which some version between 7 and 26 differs from opset 18 in more than element types. */
const converters: ReadonlyMap<string, Converter> = new Map<string, Converter>([
  ...['Squeeze', 'Unsqueeze', ...reductions.map((r) => `Reduce${r}`)].map(
    (op) => [op, settings.axesToInput] as const,
  ),
  ...['Hardmax', 'LogSoftmax', 'Softmax'].map((op) => [op, settings.softmax] as const),
  ...['DequantizeLinear', 'QuantizeLinear'].map((op) => [op, newer.quantize] as const),
  ...['BitCast', 'CumProd', 'DeformConv', 'ImageDecoder', 'RegexFullMatch', 'RotaryEmbedding'].map(
    (op) => [op, newer.tooNew] as const,
  ),
  ...['Attention', 'StringConcat', 'StringSplit', 'TensorScatter'].map((op) => [op, newer.tooNew] as const),
  ['AffineGrid', affineGrid],
  ['AveragePool', newer.averagePool],
  ['BatchNormalization', normalization.batchNormalization],
  ['Cast', newer.cast],
  ['CastLike', newer.castLike],
  ['Clip', settings.clip],
  ['Constant', newer.constant],
  ['Conv', windows.samePadding],
  ['Dropout', settings.dropout],
  ['Einsum', einsum],
  ['Gelu', newer.gelu],
  ['GridSample', newer.gridSample],
  ['GroupNormalization', normalization.groupNormalization],
  ['ImageScaler', newer.imageScaler],
  ['MaxPool', windows.pool],
  ['Pad', settings.pad],
  ['RMSNormalization', normalization.rmsNormalization],
  ['Resize', settings.resize],
  ['Scatter', settings.scatter],
  ['SimplifiedLayerNormalization', contrib.simplifiedLayerNormalization],
  ['Slice', settings.slice],
  ['Split', settings.split],
  ['Swish', newer.swish],
  ['TopK', settings.topK],
  ['Upsample', settings.resize],
]);

/** The same of com.microsoft. */
const contribConverters: ReadonlyMap<string, Converter> = new Map<string, Converter>([
  ['BiasGelu', contrib.gelu],
  ['FastGelu', contrib.fastGelu],
  ['FusedConv', fused.fusedConv],
  ['FusedGemm', fused.fusedGemm],
  ['FusedMatMul', fused.fusedMatMul],
  ['Gelu', contrib.gelu],
  ['QuickGelu', contrib.quickGelu],
  ['SkipLayerNormalization', contrib.skipLayerNormalization],
  ['SkipSimplifiedLayerNormalization', contrib.skipRmsNormalization],
  ['TransposeMatMul', fused.fusedMatMul],
]);

/** Operators opset 18 does not have; none is left in a result. */
const gone = [
  'AffineGrid',
  'CastLike',
  'Constant',
  'Gelu',
  'GroupNormalization',
  'ImageScaler',
  'RMSNormalization',
  'Scatter',
];

const defaultDomain = (node: Node): boolean => node.domain === '' || node.domain === 'ai.onnx';

/**
 * Brings a model of opset 7 to 26 to opset 18, the one all training graphs have. Constant nodes become initializers; CastLike,
 * GroupNormalization, newer activations and what com.microsoft fuses are written in plain operators. What has no conversion is ONNX_UNSUPPORTED by name.
 */
export const toOpset18: Pass = {
  name: 'to-opset-18',
  summary: 'The default operator set is version 18 and every constant is an initializer.',
  requires: (model) => {
    const version = model.opsets[''] ?? model.opsets['ai.onnx'];
    if (version !== undefined && version >= 7 && version <= 26) return [];
    return [`opset ${version ?? 'none'} is outside 7 to 26`];
  },
  run: (model) => {
    const rewriter = new Rewriter(model);
    const graph = rewriter.run(convert);
    const opsets = { ...model.opsets, '': BUILD_OPSET };
    if (graph === model.graph && model.opsets[''] === BUILD_OPSET) return model;
    // Initializers need no graph inputs since IR 4; 8 goes with opset 18.
    return { ...withGraph(model, graph), opsets, irVersion: Math.max(8, Math.min(model.irVersion, 10)) };
  },
  ensures: (result) =>
    allGraphs(result.graph)
      .flatMap((graph) => graph.nodes)
      .filter((node) => defaultDomain(node) && gone.includes(node.op))
      .map((node) => `${node.op} "${node.name}" is left`),
};

function convert(node: Node, r: Rewriter): boolean {
  const contributed = node.domain === 'com.microsoft' ? contribConverters : undefined;
  try {
    return (defaultDomain(node) ? converters : contributed)?.get(node.op)?.(node, r) ?? false;
  } catch (cause) {
    if (cause instanceof RetortError) throw cause;
    throw new RetortError('INTERNAL', `to-opset-18: ${r.label(node)} could not be converted`, { cause });
  }
}
