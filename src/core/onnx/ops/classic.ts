import { intsAttribute } from '../attributes.ts';
import { dtypeOf, shapeOf } from './context.ts';
import { define, ints, sample } from './define.ts';
import { productOf } from './dims.ts';
import type { InferContext, ValueType } from './op.ts';

/** Text and classical machine learning: what converters put around networks (ai.onnx.ml and friends). */

const domain = 'ai.onnx.ml';

const float = (c: InferContext): ValueType[] => [{ dtype: 'float32', shape: shapeOf(c, 0) }];

/** Picks columns (input 1) of the last axis; a vector gives one row. */
function inferExtractor(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  const index = shapeOf(c, 1);
  const columns = index ? productOf(index) : '';
  return [{ dtype: dtypeOf(c, 0), shape: x && [...(x.length === 1 ? [1] : x.slice(0, -1)), columns] }];
}

/** Labels [N] and scores [N, classes]. */
function inferClassifier(c: InferContext): ValueType[] {
  const rows = shapeOf(c, 0)?.[0] ?? '';
  const strings = c.node.attributes.classlabels_strings;
  const named = strings?.type === 'strings' ? strings.value.length : 0;
  const classes = intsAttribute(c.node, 'classlabels_ints')?.length || named || '';
  return [
    { dtype: named > 0 ? 'string' : 'int64', shape: [rows] },
    { dtype: 'float32', shape: [rows, classes] },
  ];
}

/** Counts of n-grams: [.., C] -> [.., 1 + largest index]. */
function inferTfIdf(c: InferContext): ValueType[] {
  const indexes = intsAttribute(c.node, 'ngram_indexes', []);
  const size = indexes.reduce((a, b) => Math.max(a, b), -1) + 1;
  const x = shapeOf(c, 0);
  return [{ dtype: 'float32', shape: x && [...x.slice(0, -1), size] }];
}

/** Stop words may go, so the length is open: [C] or [1, C]. */
function inferNormalizer(c: InferContext): ValueType[] {
  const stops = c.node.attributes.stopwords;
  const x = shapeOf(c, 0);
  const same = stops?.type !== 'strings' || stops.value.length === 0;
  return [{ dtype: 'string', shape: same ? x : x && [...x.slice(0, -1), ''] }];
}

/** Adds an axis of tokens, as many as the longest text has. */
function inferTokenizer(c: InferContext): ValueType[] {
  const x = shapeOf(c, 0);
  return [{ dtype: 'string', shape: x && [...x, ''] }];
}

const samples = {
  ArrayFeatureExtractor: [sample([[2, 4], ints(0, 2)])],
  Normalizer: [sample([[2, 4]], { norm: 'L1' })],
};

export const classic = define(
  [
    { op: 'ArrayFeatureExtractor', domain, infer: inferExtractor },
    { op: 'LinearClassifier', domain, infer: inferClassifier },
    { op: 'Normalizer', domain, infer: float },
    { op: 'Scaler', domain, infer: float },
    { op: 'StringNormalizer', infer: inferNormalizer },
    { op: 'TfIdfVectorizer', infer: inferTfIdf },
    { op: 'Tokenizer', domain: 'com.microsoft', infer: inferTokenizer },
  ],
  samples,
);
