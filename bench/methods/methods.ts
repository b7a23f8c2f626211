/** One row of the table: a spec laid over that of `cifar10-5k`. */
export interface Method {
  readonly name: string;
  /** What it is compared as; `logits` must keep close to plain KD. */
  readonly kind: 'reference' | 'logits' | 'features' | 'strategy' | 'choice';
  /** Top-level sections of the spec in the place of the base's; `train` is laid over the base's `train`. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Epochs of all its phases, as a part of the plain run's; also what the guess of the time left counts by. */
  readonly length?: number;
  /** Longer or shorter than the base: `train.epochs` times this. */
  readonly epochs?: number;
  /** Reads no label of a training row. */
  readonly isLabelFree?: boolean;
  /** Part of `--quick`. */
  readonly isQuick?: boolean;
  /** Files that go with the job, by the name its spec has for them; `made` is that of made-teachers.ts. */
  readonly with?: Readonly<Record<string, { readonly fixture: string } | 'made'>>;
  /** Learns from the same teacher with its batch normalisation put back (normalized-teacher.ts). */
  readonly needsStatistics?: boolean;
  /** Where its weights come from, and what else a reader should know. */
  readonly note: string;
  /** Why it is more than a point below plain KD, where it is. */
  readonly explanation?: string;
}

/** Names that the table and the expectations refer to. */
export const CONTROL = 'control';
export const PLAIN = 'kd';

const labels = (weight: number) => ({ loss: 'cross-entropy', weight });

/** A loss on logits beside the labels. */
const logits = (
  name: string,
  term: Readonly<Record<string, unknown>>,
  hard: number,
  note: string,
  more: Partial<Method> = {},
): Method => ({
  name,
  kind: 'logits',
  spec: { objective: { terms: [{ loss: name, ...term }, labels(hard)] } },
  note,
  ...more,
});

/** A loss on hidden tensors beside the labels, as in the published comparisons: no soft targets. */
const features = (
  name: string,
  weight: number | 'published' | 'auto',
  note: string,
  more: Partial<Method> = {},
): Method => ({
  name,
  kind: 'features',
  spec: { objective: { terms: [{ loss: name, weight, from: 'auto', to: 'auto' }, labels(1)] } },
  note,
  ...more,
});

const strategy = (name: string, options: object, note: string, more: Partial<Method> = {}): Method => ({
  name,
  kind: 'strategy',
  spec: { strategy: { name, ...options } },
  note,
  ...more,
});

/** How the file of the small CNN is fed, and how all that learned here are. */
const half = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
const CIFAR10_INPUT = {
  size: [32, 32],
  colour: 'RGB',
  scale: 1 / 255,
  mean: [0.4914, 0.4822, 0.4465],
  std: [0.2023, 0.1994, 0.201],
};

const HINTON = { objective: { alpha: 0.9, temperature: 4 } };
/** mdistiller and RepDistiller tune for CIFAR-100 and batches of 64; ours divides as the loss's own page says. */
const PUBLISHED = 'published weight for batches of 64';

/** All methods, in the order in which they run and stand in the table. */
export const METHODS: readonly Method[] = [
  {
    name: CONTROL,
    kind: 'reference',
    spec: { objective: { terms: [labels(1)] } },
    isQuick: true,
    note: 'no teacher: the labels alone',
  },
  {
    name: PLAIN,
    kind: 'reference',
    spec: HINTON,
    isQuick: true,
    note: '0.9 kl (T 4) + 0.1 labels, which everything is compared with',
  },
  {
    name: 'kd-standardized',
    kind: 'logits',
    spec: {
      objective: { terms: [{ loss: 'kl', weight: 9, temperature: 2, standardize: true }, labels(0.1)] },
    },
    isQuick: true,
    note: 'published: T 2, weights 9 and 0.1',
  },
  logits('dkd', { beta: 2 }, 1, 'alpha 1, beta 2 (published for ResNet-56 to 20), T 4; no warm-up', {
    isQuick: true,
  }),
  logits('dist', { weight: 2 }, 1, 'published: weight 2, T 1', { isQuick: true }),
  {
    name: 'label-free',
    kind: 'strategy',
    spec: { strategy: { name: 'label-free' }, objective: { alpha: 1, temperature: 4 } },
    isLabelFree: true,
    isQuick: true,
    note: 'kl (T 4) alone, no labels',
  },
  {
    name: 'auto',
    kind: 'choice',
    spec: { method: 'auto' },
    length: 4,
    isQuick: true,
    note: 'tries four on a quarter of the length, three on all of it; takes what is best on validation',
  },
  logits('wttm', { weight: 36 }, 1, 'published: 36 to 1'),
  logits('jsd', { weight: 3.6 }, 0.1, '4 x 0.9: its curvature at the minimum is a quarter of that of kl'),
  logits('reverse-kl', { weight: 0.9 }, 0.1, 'the weights of plain KD'),
  logits('multi-level', { weight: 4.5 }, 0.1, 'published: 0.9 for each of five temperatures'),
  logits('logit-mse', { weight: 0.9 }, 0.1, 'the weights of plain KD'),
  logits('corrected-kl', { weight: 0.9 }, 0.1, 'swap; the weights of plain KD'),
  logits('entropy-weighted-kl', { weight: 0.9 }, 0.1, 'the weights of plain KD'),
  {
    name: 'dkd-label-free',
    kind: 'logits',
    spec: { strategy: { name: 'label-free' }, objective: { terms: [{ loss: 'dkd-label-free', beta: 2 }] } },
    isLabelFree: true,
    note: 'as dkd, without labels',
  },
  strategy('annealing', {}, 'published loss, T 10 to 1, 2/3 of the steps; then labels'),
  strategy('continuation', {}, 'published: T 20 to 1 over 3/4 of the steps'),
  {
    name: 'two-stage',
    kind: 'strategy',
    spec: { strategy: { name: 'two-stage' }, ...HINTON },
    note: 'labels for half of the steps, then kl (T 4)',
  },
  {
    name: 'self',
    kind: 'strategy',
    spec: { strategy: { name: 'self', generations: 2 }, ...HINTON },
    length: 2,
    note: 'two generations, each of full length',
  },
  {
    name: 'self-within',
    kind: 'strategy',
    spec: { strategy: { name: 'self-within' }, ...HINTON },
    note: 'plain KD; besides, its last layer teaches the inner ones (T 3, alpha 0.1; published: 1 for each)',
  },
  {
    name: 'mutual',
    kind: 'strategy',
    spec: { strategy: { name: 'mutual' }, ...HINTON },
    length: 2,
    note: 'two students: half of the steps alone, then five turns each under one schedule',
  },
  {
    name: 'progressive',
    kind: 'strategy',
    spec: { strategy: { name: 'progressive', assistants: [{ depth: 20 }] }, ...HINTON },
    // ResNet-20 has about three times the work of ResNet-8.
    length: 4,
    note: 'one assistant, ResNet-20, of full length',
  },
  {
    name: 'function-matching',
    kind: 'strategy',
    spec: {
      strategy: { name: 'function-matching' },
      objective: { terms: [{ loss: 'kl', temperature: 1 }] },
      train: {
        augment: [{ name: 'crop', padding: 4 }, { name: 'flip' }, { name: 'mixup', alpha: 1 }],
      },
    },
    length: 3,
    epochs: 3,
    isLabelFree: true,
    note: 'mixup, no labels, three times as long (published: hundreds of times)',
  },
  {
    name: 'ensemble',
    kind: 'strategy',
    spec: {
      strategy: {
        name: 'ensemble',
        teachers: [
          { file: 'cnn.onnx', inputs: { '*': { size: [32, 32], colour: 'RGB', scale: 1 / 255, ...half } } },
          { file: 'resnet20.onnx', inputs: { '*': CIFAR10_INPUT } },
        ],
        temperature: 4,
        weights: 'learned',
      },
      ...HINTON,
    },
    with: {
      'cnn.onnx': { fixture: 'teachers/cifar10-cnn-winml/model.onnx' },
      'resnet20.onnx': 'made',
    },
    note: 'plain KD from the mean of ResNet-56, a small CNN and a ResNet-20, weights fitted on validation',
  },
  {
    name: 'data-free',
    kind: 'strategy',
    spec: {
      strategy: { name: 'data-free', images: 1024, batch: 128, steps: 200, flip: true, labels: 0.1 },
      objective: { alpha: 1, temperature: 4 },
    },
    // 16 steps an epoch, where the plain run makes 78; recovering takes about as long as nine such runs.
    epochs: 5,
    length: 12,
    isLabelFree: true,
    needsStatistics: true,
    note: 'no training row: 1,024 pictures recovered, 200 steps for each 128 (published: 2,000 for 256); labels 0.1 by the distance to the statistics',
    explanation:
      'its student sees no photo, only 1,024 pictures recovered in a tenth of the published steps; min and CPU min hold recovering them. The file has its batch normalisation folded, so its statistics were measured anew on the training rows; nothing else of these is used',
  },
  features('fitnet', 'published', `${PUBLISHED}: 100`),
  features('attention-transfer', 'published', `${PUBLISHED}: 1000`),
  features('similarity-preserving', 'published', `${PUBLISHED}: 3000, here 47`),
  features('relational', 'published', `${PUBLISHED}: 25 for distances, 50 for angles`),
  features('pkt', 'published', `${PUBLISHED}: 30000, here 470`),
  features('nst', 'published', `${PUBLISHED}: 50`),
  features('vid', 'published', `${PUBLISHED}: 1`),
  features('crd', 'published', `${PUBLISHED}: 0.8; banks of recent batches, negatives of other classes`),
  features('review', 'published', `${PUBLISHED}: 1; no warm-up`),
  features('mgd', 'auto', 'no published weight fits any shape: as much as the labels at the start'),
  features('cwd', 50, 'published for segmentation: 50, T 4'),
  features('pkd', 'published', 'published for detection: 6'),
  features('cosine', 'published', 'as DistilBERT'),
];

const TRANSFORMERS = 'is for transformers';

/** Losses and strategies of the registries that are no row of their own, and why. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  'annealed-mse': 'is what the strategies annealing and continuation learn',
  'attention-map': TRANSFORMERS,
  'cross-entropy': 'is the control',
  embedding: TRANSFORMERS,
  federated: "is an ensemble of clients' models without labels",
  'hidden-state': TRANSFORMERS,
  kl: 'is kd and kd-standardized',
  'minilm-relations': TRANSFORMERS,
  'single-stage': 'is how everything else is trained',
  'regression-kd': 'is for values, not for classes',
  'sigmoid-kd': 'is for several labels per row',
  'self-distillation': 'is what the strategy self-within adds',
  'soft-cross-entropy': 'has the gradient of kl: the same student',
};
