import type { DType } from '../../src/core/onnx/dtype.ts';

/**
 * Operators whose CUDA kernel takes float32 at opset 18, as onnxruntime's docs/OperatorKernels.md lists them (early 2026,
 * about 1.24). A kernel of version N+ matches a node only where N is the operator's last change at or below opset 18.
 * https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md
 */
export const cudaKernels: ReadonlySet<string> = new Set(
  `Add Sub Mul Div Pow Min Max Sum Where Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor Not Cast
  Neg Abs Exp Log Sqrt Reciprocal Sign Erf Tanh Sigmoid Relu LeakyRelu PRelu Elu Selu HardSigmoid HardSwish Softplus
  Softsign Clip Sin Cos Floor Ceil Round Mod
  MatMul Gemm Einsum Conv ConvTranspose MaxPool AveragePool GlobalAveragePool GlobalMaxPool
  LSTM GRU RNN Dropout RandomUniformLike RandomNormalLike EyeLike
  LayerNormalization InstanceNormalization Softmax LogSoftmax
  ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp
  Reshape Squeeze Unsqueeze Flatten Identity Transpose Concat Split Slice Pad Expand Tile Gather GatherElements GatherND
  ScatterElements ScatterND DepthToSpace SpaceToDepth Trilu CumSum TopK ArgMax ArgMin OneHot NonZero Resize GridSample
  If Loop Scan ConstantOfShape Shape Size Range IsNaN IsInf`.split(/\s+/),
);

/** Types that a kernel of the table lacks, by operator, and in which of its inputs. */
export const cudaTypeGaps: Readonly<
  Record<string, { readonly input: number; readonly dtypes: readonly DType[] }>
> = {
  Clip: { input: 0, dtypes: ['int32'] },
  Pad: { input: 0, dtypes: ['int32', 'int64'] },
  ReduceMean: { input: 0, dtypes: ['int64'] },
  GatherND: { input: 0, dtypes: ['int32', 'bool'] },
  ArgMax: { input: 0, dtypes: ['int32', 'int64'] },
  ArgMin: { input: 0, dtypes: ['int32', 'int64'] },
};
