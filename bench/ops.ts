// Measures formulations of gradients against each other and against the forward operator.
// usage: npx tsx bench/ops.ts [NAME ...]    one thread, CPU time of the process, median of interleaved runs
import { onnxruntime } from '../src/adapters/runtime/onnxruntime.ts';
import { appendGradients } from '../src/core/autodiff/backward.ts';
import { convolve, convolveBack } from '../src/core/autodiff/emit/convolve.ts';
import { gradientByPosition } from '../src/core/autodiff/emit/gradient-by-position.ts';
import type { SlidingWindow } from '../src/core/autodiff/emit/sliding-window.ts';
import type { Target } from '../src/core/autodiff/rule.ts';
import { type AttributeInput, toAttribute } from '../src/core/onnx/attributes.ts';
import { GraphBuilder } from '../src/core/onnx/builder.ts';
import { encodeModel } from '../src/core/onnx/encode.ts';
import { prune } from '../src/core/onnx/passes/prune.ts';
import { sizeOf } from '../src/core/onnx/tensor.ts';
import { Random } from '../src/core/random.ts';
import type { Session } from '../src/pipeline/ports.ts';

const RUNS = 15;
const WARM_UP = 2;

type Inputs = Readonly<Record<string, readonly number[]>>;
type Build = (b: GraphBuilder) => string;

interface Bench {
  readonly name: string;
  readonly inputs: Inputs;
  readonly variants: Readonly<Record<string, Build>>;
}

/** The gradient our rule gives for one input of a node; `dy` is a graph input. */
const rule =
  (
    op: string,
    wrt: string,
    target: Target,
    inputs: readonly string[],
    attributes: Record<string, AttributeInput>,
  ) =>
  (b: GraphBuilder): string => {
    const outputs = attributes.training_mode ? 3 : 1;
    const [y] = b.ops(op, inputs, attributes, { outputs });
    return appendGradients(b, { outputs: new Map([[y!, 'dy']]), wrt: [wrt], target }).get(wrt)!;
  };

function conv(
  n: number,
  c: number,
  k: number,
  size: number,
  stride: number,
  kernel: number,
  group = 1,
): Bench {
  const out = Math.ceil(size / stride);
  const pad = (kernel - 1) >> 1;
  const pair = (value: number) => [value, value];
  const window: SlidingWindow = {
    kernel: pair(kernel),
    strides: pair(stride),
    dilations: [1, 1],
    begins: pair(pad),
    input: pair(size),
    output: pair(out),
  };
  const attributes = { kernel_shape: pair(kernel), strides: pair(stride), pads: [pad, pad, pad, pad], group };
  const swapFirst = (b: GraphBuilder, value: string) => b.op('Transpose', [value], { perm: [1, 0, 2, 3] });
  const roles: SlidingWindow = {
    ...window,
    kernel: window.output,
    strides: window.dilations,
    dilations: window.strides,
    output: window.kernel,
  };
  return {
    name: `Conv ${n}x${c}x${size}x${size} ${kernel}x${kernel}${stride > 1 ? ` s${stride}` : ''} -> ${k}${group > 1 ? ' depthwise' : ''}`,
    inputs: { x: [n, c, size, size], w: [k, c / group, kernel, kernel], dy: [n, k, out, out] },
    variants: {
      forward: (b) => b.op('Conv', ['x', 'w'], attributes),
      'dx rule': rule('Conv', 'x', 'ort-cpu', ['x', 'w'], attributes),
      'dx ConvTranspose': (b) => convolveBack(b, 'dy', 'w', window, group),
      'dw rule': rule('Conv', 'w', 'ort-cpu', ['x', 'w'], attributes),
      'dw by position': (b) => gradientByPosition({ b, x: 'x', dy: 'dy', window, group, target: 'ort-cuda' }),
      ...(group === 1
        ? {
            'dw roles swapped': (b: GraphBuilder) =>
              swapFirst(b, convolve(b, swapFirst(b, 'x'), swapFirst(b, 'dy'), roles, 1)),
          }
        : {}),
    },
  };
}

function batchNorm(n: number, c: number, size: number): Bench {
  const dims = [n, c, size, size];
  const inputs = ['x', 'scale', 'bias', 'mean', 'variance'];
  const attributes = { training_mode: toAttribute(1) };
  return {
    name: `BatchNormalization training ${dims.join('x')}`,
    inputs: { x: dims, scale: [c], bias: [c], mean: [c], variance: [c], dy: dims },
    variants: {
      forward: (b) => b.ops('BatchNormalization', inputs, attributes, { outputs: 3 })[0]!,
      'dx rule': rule('BatchNormalization', 'x', 'ort-cpu', inputs, attributes),
      'dx from reductions': rule('BatchNormalization', 'x', 'ort-cuda', inputs, attributes),
    },
  };
}

function pool(op: 'MaxPool' | 'AveragePool', kernel: number, stride: number): Bench {
  const size = 32;
  const pad = (kernel - 1) >> 1;
  const out = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  const attributes = {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
  };
  return {
    name: `${op} 64x32x32x32 ${kernel}x${kernel} s${stride}`,
    inputs: { x: [64, 32, size, size], dy: [64, 32, out, out] },
    variants: {
      forward: (b) => b.op(op, ['x'], attributes),
      'dx rule': rule(op, 'x', 'ort-cpu', ['x'], attributes),
    },
  };
}

const benches: readonly Bench[] = [
  conv(64, 3, 16, 32, 1, 3),
  conv(64, 16, 16, 32, 1, 3),
  conv(64, 16, 32, 32, 2, 3),
  conv(64, 32, 32, 16, 1, 3),
  conv(64, 64, 64, 8, 1, 3),
  conv(16, 128, 128, 14, 1, 3),
  conv(64, 16, 96, 16, 1, 1),
  conv(64, 96, 96, 16, 1, 3, 96),
  batchNorm(64, 16, 32),
  batchNorm(64, 64, 8),
  pool('MaxPool', 2, 2),
  pool('MaxPool', 3, 2),
  pool('AveragePool', 2, 2),
];

/** The result is reduced to one number inside the graph: fetching it whole would cost as much as making it. */
async function open(bench: Bench, build: Build): Promise<Session> {
  const b = new GraphBuilder();
  for (const [name, dims] of Object.entries(bench.inputs)) b.input(name, 'float32', dims);
  b.output(b.op('ReduceMax', [build(b)], { keepdims: 0 }));
  return onnxruntime.open(encodeModel(prune.run(b.model(), {})), { device: 'cpu', threads: 1 });
}

async function measure(bench: Bench): Promise<void> {
  const random = new Random(1, bench.name);
  const values = Object.entries(bench.inputs).map(([name, dims]) => {
    const data = Float32Array.from({ length: sizeOf(dims) }, () => random.uniform() + 0.1);
    return [name, { dtype: 'float32' as const, dims, data }] as const;
  });
  const feeds = Object.fromEntries(values);
  const times = new Map<string, number[]>();
  const sessions = await Promise.all(
    Object.entries(bench.variants).map(async ([name, build]) => [name, await open(bench, build)] as const),
  );
  for (let run = 0; run < WARM_UP + RUNS; run++) {
    for (const [name, session] of sessions) {
      const before = process.cpuUsage();
      await session.run(Object.fromEntries(session.inputs.map((input) => [input.name, feeds[input.name]!])));
      const { user, system } = process.cpuUsage(before);
      if (run >= WARM_UP) times.set(name, [...(times.get(name) ?? []), (user + system) / 1000]);
    }
  }
  for (const [, session] of sessions) await session.close();
  const cells = [...times].map(([name, list]) => {
    const median = list.sort((p, q) => p - q)[list.length >> 1]!;
    return `${name} ${median.toFixed(2)}`;
  });
  console.log(`${bench.name}: ${cells.join(', ')} ms`);
}

const wanted = process.argv.slice(2);
for (const bench of benches) {
  if (wanted.length === 0 || wanted.some((word) => bench.name.includes(word))) await measure(bench);
}
