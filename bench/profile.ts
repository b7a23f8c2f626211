import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { onnxruntimeKernel } from '../src/adapters/kernels/onnxruntime.ts';
import { onnxruntime } from '../src/adapters/runtime/onnxruntime.ts';
import type { TypedArray } from '../src/core/onnx/dtype.ts';
import type { Runtime } from '../src/pipeline/ports.ts';
import { feedSteps, type StartedProgram } from './train/feed-steps.ts';
import { decodeStart, encodeStart } from './train/start.ts';
import { programOf, workloads } from './train/workloads.ts';

type Engine = typeof import('onnxruntime-node');

interface Event {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: {
    readonly op_name?: string;
    readonly input_type_shape?: readonly Record<string, readonly number[]>[];
    readonly output_type_shape?: readonly Record<string, readonly number[]>[];
  };
}

/**
 * Where a training step of the onnxruntime kernel spends its time, by onnxruntime's own profiler: operators, then operators
 * with their shapes, in milliseconds per step.
 */
export async function profile(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: Object.keys(workloads).join() },
      steps: { type: 'string', default: '20' },
      threads: { type: 'string', default: '2' },
      top: { type: 'string', default: '15' },
      shapes: { type: 'boolean', default: false },
    },
  });
  for (const name of values.only.split(',')) {
    const workload = workloads[name];
    if (!workload) throw new Error(`no workload ${name}; known: ${Object.keys(workloads)}`);
    const program = programOf(workload);
    const started = decodeStart(encodeStart(program, workload), program);
    const steps = Number(values.steps);
    const events = await traced(started, steps, Number(values.threads));
    const titleOf = values.shapes ? withShapes : (event: Event) => event.args!.op_name!;
    const sums = new Map<string, { milliseconds: number; count: number }>();
    // The Loop node's own time is that of all others together.
    for (const event of events.filter(
      ({ cat, args }) => cat === 'Node' && args?.op_name && args.op_name !== 'Loop',
    )) {
      const sum = sums.get(titleOf(event)) ?? { milliseconds: 0, count: 0 };
      sums.set(titleOf(event), { milliseconds: sum.milliseconds + event.dur / 1000, count: sum.count + 1 });
    }
    const total = [...sums.values()].reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const top = [...sums]
      .sort(([, a], [, b]) => b.milliseconds - a.milliseconds)
      .slice(0, Number(values.top));
    console.log(
      `${name}: ${(total / steps).toFixed(1)} ms in operators per step, load ${loadavg()[0]!.toFixed(1)}`,
    );
    for (const [title, { milliseconds, count }] of top) {
      const share = `${((100 * milliseconds) / total).toFixed(1)} %`;
      console.log(
        `  ${share.padStart(7)} ${(milliseconds / steps).toFixed(2)} ms, ${count / steps} x ${title}`,
      );
    }
  }
}

/** The events of some steps, the first of which are left out. */
async function traced({ program, batch }: StartedProgram, steps: number, threads: number): Promise<Event[]> {
  const folder = await mkdtemp(join(tmpdir(), 'retort-profile-'));
  try {
    const traces: (() => void)[] = [];
    const kernel = onnxruntimeKernel(profiling(join(folder, 'trace'), traces));
    const trainer = await kernel.open(program, { device: 'cpu', threads, seed: 0 });
    await trainer.run(feedSteps({ program, batch }, steps));
    for (const end of traces) end();
    const [file] = await readdir(folder);
    return JSON.parse(await readFile(join(folder, file!), 'utf8')) as Event[];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A runtime whose sessions write a trace once they are told to end it. */
function profiling(prefix: string, traces: (() => void)[]): Runtime {
  const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node') as Engine;
  return {
    devices: () => onnxruntime.devices(),
    version: onnxruntime.version,
    async open(model, { threads, config }) {
      const session = await InferenceSession.create(model, {
        enableProfiling: true,
        profileFilePrefix: prefix,
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'all',
        extra: { ...config },
      });
      traces.push(() => session.endProfiling());
      return {
        inputs: [],
        outputs: [],
        close: async () => session.release(),
        async run(feeds) {
          const tensors = Object.entries(feeds).map(([name, { dtype, dims, data }]) => {
            return [name, new Tensor(dtype as 'float32', data as Float32Array, dims)] as const;
          });
          const results = await session.run(Object.fromEntries(tensors));
          return Object.fromEntries(
            Object.entries(results).map(([name, { type, dims, data }]) => [
              name,
              { dtype: type as 'float32', dims, data: data as TypedArray },
            ]),
          );
        },
      };
    },
  };
}

function withShapes({ args }: Event): string {
  const shapes = (list: readonly Record<string, readonly number[]>[] = []) =>
    list.map((entry) => `[${Object.values(entry)[0]!.join()}]`).join(' ');
  return `${args!.op_name} ${shapes(args!.input_type_shape)} -> ${shapes(args!.output_type_shape)}`;
}
