// One kernel on one workload, in a process of its own; speaks the protocol of contender.ts.
// usage: node --import tsx kernel-child.ts FILE WORKLOAD KERNEL THREADS
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { kernelsOn } from '../../src/adapters/kernels/index.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import type { Chunk } from '../../src/core/program/kernel.ts';
import { COMPARED, type Ready, type Round } from './contender.ts';
import { feedSteps } from './feed-steps.ts';
import { decodeStart } from './start.ts';
import { Stopwatch } from './stopwatch.ts';
import { programOf, workloads } from './workloads.ts';

const [file, name, kernelName, threadCount] = process.argv.slice(2) as string[];
const threads = Number(threadCount);
const firstSteps = Math.max(...COMPARED);
const started = decodeStart(await readFile(file!), programOf(workloads[name!]!));
const { program } = started;
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

/** The chunk of K steps, kept: making it is no part of training. */
let ready: Chunk | undefined;
function chunkOf(steps: number): Chunk {
  if (ready?.steps !== steps) ready = feedSteps(started, steps);
  return ready;
}

async function run(steps: number): Promise<{ loss: Float32Array; milliseconds: number }> {
  const chunk = chunkOf(steps);
  const begun = performance.now();
  const { loss } = await trainer.run(chunk);
  return { loss, milliseconds: performance.now() - begun };
}

const losses: number[] = [];
while (losses.length < firstSteps) {
  const steps = Math.min(trainer.preferredSteps, firstSteps - losses.length);
  losses.push(...(await run(steps)).loss);
}
const parameters = program.parameters.reduce(
  (sum, parameter) => sum + program.graph.initializers.get(parameter.name)!.bytes.byteLength / 4,
  0,
);
say({ losses: COMPARED.map((step) => losses[step - 1]!), parameters, engine: trainer.engine });

for await (const line of createInterface({ input: process.stdin })) {
  const budget = 1000 * Number(line);
  let [steps, milliseconds] = [0, 0];
  watch.milliseconds = 0;
  const before = process.cpuUsage();
  while (milliseconds < budget) {
    const wanted = trainer.preferredSteps;
    milliseconds += (await run(wanted)).milliseconds;
    steps += wanted;
  }
  const outside = isWatched ? Math.max(0, 1 - watch.milliseconds / milliseconds) : null;
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  say({ steps, seconds: milliseconds / 1000, cpuSeconds, outside, peakMiB: peakMiB() });
}
await trainer.close();
