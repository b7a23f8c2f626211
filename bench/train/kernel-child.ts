// One kernel on one workload, in a process of its own; speaks the protocol of contender.ts.
// usage: node --import tsx kernel-child.ts FILE WORKLOAD KERNEL THREADS STEPS
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { kernelsOn } from '../../src/adapters/kernels/index.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import type { NDArray } from '../../src/core/ndarray.ts';
import type { TypedArray } from '../../src/core/onnx/dtype.ts';
import type { Trainer } from '../../src/core/program/kernel.ts';
import { optimizerScalars } from '../../src/core/schedules/optimizer-scalars.ts';
import type { Ready, Round } from './contender.ts';
import { decodeStart } from './start.ts';
import { Stopwatch } from './stopwatch.ts';
import { programOf, workloads } from './workloads.ts';

const [file, name, kernelName, threadCount, stepCount] = process.argv.slice(2) as string[];
const [threads, firstSteps] = [Number(threadCount), Number(stepCount)];
const { program, batch } = decodeStart(await readFile(file!), programOf(workloads[name!]!));
const watch = new Stopwatch();
const kernels = kernelsOn(watch.runtime(onnxruntime));
const isWatched = kernelName !== 'tfjs' || (await watch.tensorflow(threads));
const trainer = await kernels[kernelName as keyof typeof kernels].open(program, {
  device: 'cpu',
  threads,
  seed: 0,
});

const say = (line: Ready | Round): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const peakMiB = (): number => process.resourceUsage().maxRSS / 1024;

/** The one batch, k times; kept, since making it is no part of training. */
let ready: { readonly steps: number; readonly feeds: Record<string, NDArray> } | undefined;
function feedsOf(steps: number): Record<string, NDArray> {
  if (ready?.steps === steps) return ready.feeds;
  const feeds = Object.entries(batch).map(([input, { dtype, dims, data }]) => {
    const row = data as TypedArray;
    const rows = new (row.constructor as new (length: number) => TypedArray)(row.length * steps);
    for (let k = 0; k < steps; k++) rows.set(row as never, k * row.length);
    return [input, { dtype, dims: [steps, ...dims], data: rows }] as const;
  });
  ready = { steps, feeds: Object.fromEntries(feeds) };
  return ready.feeds;
}

async function run(trained: Trainer, steps: number): Promise<{ loss: Float32Array; milliseconds: number }> {
  const feeds = feedsOf(steps);
  const context = { totalSteps: 1, stepsPerEpoch: 1 };
  const scalars = optimizerScalars(program.optimizer, { name: 'constant', options: {} }, context, 0, steps);
  const started = performance.now();
  const { loss } = await trained.run({ steps, feeds, scalars });
  return { loss, milliseconds: performance.now() - started };
}

const losses: number[] = [];
while (losses.length < firstSteps) {
  const steps = Math.min(trainer.preferredSteps, firstSteps - losses.length);
  losses.push(...(await run(trainer, steps)).loss);
}
const parameters = program.parameters.reduce(
  (sum, parameter) => sum + program.graph.initializers.get(parameter.name)!.bytes.byteLength / 4,
  0,
);
say({ first: losses[0]!, last: losses.at(-1)!, parameters, engine: trainer.engine });

for await (const line of createInterface({ input: process.stdin })) {
  const budget = 1000 * Number(line);
  let [steps, milliseconds] = [0, 0];
  watch.milliseconds = 0;
  const before = process.cpuUsage();
  while (milliseconds < budget) {
    const wanted = trainer.preferredSteps;
    milliseconds += (await run(trainer, wanted)).milliseconds;
    steps += wanted;
  }
  const outside = isWatched ? Math.max(0, 1 - watch.milliseconds / milliseconds) : null;
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  say({ steps, seconds: milliseconds / 1000, cpuSeconds, outside, peakMiB: peakMiB() });
}
await trainer.close();
