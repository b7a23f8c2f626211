import { loadBackend } from '../../src/adapters/kernels/tfjs/backend.ts';
import { nodeBackend } from '../../src/adapters/kernels/tfjs/native/addon.ts';
import type { Runtime } from '../../src/pipeline/ports.ts';

/** Time spent inside an engine, milliseconds. */
export class Stopwatch {
  milliseconds = 0;

  /** A runtime whose sessions' runs count. */
  runtime(runtime: Runtime): Runtime {
    return {
      devices: () => runtime.devices(),
      version: runtime.version,
      open: async (model, options) => {
        const session = await runtime.open(model, options);
        return {
          inputs: session.inputs,
          outputs: session.outputs,
          close: () => session.close(),
          run: async (feeds, fetches) => {
            const started = performance.now();
            const results = await session.run(feeds, fetches);
            this.milliseconds += performance.now() - started;
            return results;
          },
        };
      },
    };
  }

  /** Counts every call into libtensorflow; false where tfjs has no native engine to count. */
  async tensorflow(threads: number): Promise<boolean> {
    const backend = await loadBackend(threads);
    if (backend.name !== 'tensorflow') return false;
    const engine = nodeBackend();
    const { binding } = engine;
    const calls = ['executeOp', 'tensorDataSync', 'createTensor', 'runSavedModel'] as const;
    const counted = calls.map((call) => {
      const original = binding[call] as (...args: unknown[]) => unknown;
      const value = (...args: unknown[]): unknown => {
        const started = performance.now();
        const result = original(...args);
        this.milliseconds += performance.now() - started;
        return result;
      };
      return [call, { value }] as const;
    });
    // The addon's own properties cannot be written.
    engine.binding = Object.create(binding, Object.fromEntries(counted)) as typeof binding;
    return true;
  }
}
