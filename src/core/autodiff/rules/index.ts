import type { GradientRule, GradientStop } from '../rule.ts';
import { abs } from './abs.ts';
import { acos } from './acos.ts';
import { acosh } from './acosh.ts';
import { add } from './add.ts';
import { asin } from './asin.ts';
import { asinh } from './asinh.ts';
import { atan } from './atan.ts';
import { atanh } from './atanh.ts';
import { averagePool } from './average-pool.ts';
import { batchNormalization } from './batch-normalization.ts';
import { cast } from './cast.ts';
import { castLike } from './cast-like.ts';
import { celu } from './celu.ts';
import { clip } from './clip.ts';
import { col2Im } from './col2-im.ts';
import { concat } from './concat.ts';
import { conv } from './conv.ts';
import { convTranspose } from './conv-transpose.ts';
import { cos } from './cos.ts';
import { cosh } from './cosh.ts';
import { cumSum } from './cum-sum.ts';
import { depthToSpace } from './depth-to-space.ts';
import { div } from './div.ts';
import { dropout } from './dropout.ts';
import { einsum } from './einsum.ts';
import { elu } from './elu.ts';
import { erf } from './erf.ts';
import { exp } from './exp.ts';
import { expand } from './expand.ts';
import { flatten } from './flatten.ts';
import { gather } from './gather.ts';
import { gatherElements } from './gather-elements.ts';
import { gatherNd } from './gather-nd.ts';
import { gemm } from './gemm.ts';
import { globalAveragePool } from './global-average-pool.ts';
import { globalMaxPool } from './global-max-pool.ts';
import { gridSample } from './grid-sample.ts';
import { gru } from './gru.ts';
import { hardSigmoid } from './hard-sigmoid.ts';
import { hardSwish } from './hard-swish.ts';
import { identity } from './identity.ts';
import { instanceNormalization } from './instance-normalization.ts';
import { layerNormalization } from './layer-normalization.ts';
import { leakyRelu } from './leaky-relu.ts';
import { log } from './log.ts';
import { logSoftmax } from './log-softmax.ts';
import { lpNormalization } from './lp-normalization.ts';
import { lrn } from './lrn.ts';
import { lstm } from './lstm.ts';
import { matMul } from './mat-mul.ts';
import { max } from './max.ts';
import { maxPool } from './max-pool.ts';
import { maxUnpool } from './max-unpool.ts';
import { mean } from './mean.ts';
import { meanVarianceNormalization } from './mean-variance-normalization.ts';
import { min } from './min.ts';
import { mish } from './mish.ts';
import { mod } from './mod.ts';
import { mul } from './mul.ts';
import { neg } from './neg.ts';
import { negativeLogLikelihoodLoss } from './negative-log-likelihood-loss.ts';
import { pRelu } from './p-relu.ts';
import { pad } from './pad.ts';
import { pow } from './pow.ts';
import { reciprocal } from './reciprocal.ts';
import { reduceL1 } from './reduce-l1.ts';
import { reduceL2 } from './reduce-l2.ts';
import { reduceLogSum } from './reduce-log-sum.ts';
import { reduceLogSumExp } from './reduce-log-sum-exp.ts';
import { reduceMax } from './reduce-max.ts';
import { reduceMean } from './reduce-mean.ts';
import { reduceMin } from './reduce-min.ts';
import { reduceProd } from './reduce-prod.ts';
import { reduceSum } from './reduce-sum.ts';
import { reduceSumSquare } from './reduce-sum-square.ts';
import { relu } from './relu.ts';
import { reshape } from './reshape.ts';
import { resize } from './resize.ts';
import { reverseSequence } from './reverse-sequence.ts';
import { rnn } from './rnn.ts';
import { scatterElements } from './scatter-elements.ts';
import { scatterNd } from './scatter-nd.ts';
import { selu } from './selu.ts';
import { shrink } from './shrink.ts';
import { sigmoid } from './sigmoid.ts';
import { sin } from './sin.ts';
import { sinh } from './sinh.ts';
import { slice } from './slice.ts';
import { softmax } from './softmax.ts';
import { softmaxCrossEntropyLoss } from './softmax-cross-entropy-loss.ts';
import { softplus } from './softplus.ts';
import { softsign } from './softsign.ts';
import { spaceToDepth } from './space-to-depth.ts';
import { split } from './split.ts';
import { sqrt } from './sqrt.ts';
import { squeeze } from './squeeze.ts';
import { stops } from './stops.ts';
import { sub } from './sub.ts';
import { sum } from './sum.ts';
import { tan } from './tan.ts';
import { tanh } from './tanh.ts';
import { thresholdedRelu } from './thresholded-relu.ts';
import { tile } from './tile.ts';
import { topK } from './top-k.ts';
import { transpose } from './transpose.ts';
import { trilu } from './trilu.ts';
import { unsqueeze } from './unsqueeze.ts';
import { where } from './where.ts';

const entries: readonly (GradientRule | GradientStop)[] = [
  abs,
  acos,
  acosh,
  add,
  asin,
  asinh,
  atan,
  atanh,
  averagePool,
  batchNormalization,
  castLike,
  cast,
  celu,
  clip,
  col2Im,
  concat,
  convTranspose,
  conv,
  cos,
  cosh,
  cumSum,
  depthToSpace,
  div,
  dropout,
  einsum,
  elu,
  erf,
  exp,
  expand,
  flatten,
  gatherElements,
  gatherNd,
  gather,
  gemm,
  globalAveragePool,
  globalMaxPool,
  gridSample,
  gru,
  hardSigmoid,
  hardSwish,
  identity,
  instanceNormalization,
  layerNormalization,
  leakyRelu,
  logSoftmax,
  log,
  lpNormalization,
  lrn,
  lstm,
  matMul,
  maxPool,
  maxUnpool,
  max,
  mean,
  meanVarianceNormalization,
  min,
  mish,
  mod,
  mul,
  neg,
  negativeLogLikelihoodLoss,
  pRelu,
  pad,
  pow,
  reciprocal,
  reduceL1,
  reduceL2,
  reduceLogSumExp,
  reduceLogSum,
  reduceMax,
  reduceMean,
  reduceMin,
  reduceProd,
  reduceSumSquare,
  reduceSum,
  relu,
  reshape,
  resize,
  reverseSequence,
  rnn,
  scatterElements,
  scatterNd,
  selu,
  shrink,
  sigmoid,
  sin,
  sinh,
  slice,
  softmaxCrossEntropyLoss,
  softmax,
  softplus,
  softsign,
  spaceToDepth,
  split,
  sqrt,
  squeeze,
  sub,
  sum,
  tan,
  tanh,
  thresholdedRelu,
  tile,
  topK,
  transpose,
  trilu,
  unsqueeze,
  where,
  ...stops,
];

/** Gradient rules and declared stops by operator (default domain). */
export const rules: ReadonlyMap<string, GradientRule | GradientStop> = new Map(
  entries.map((entry) => [entry.op, entry]),
);
