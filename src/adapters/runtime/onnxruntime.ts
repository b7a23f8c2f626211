import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { NDArray } from '../../core/ndarray.ts';
import { type DType, dtypes, type TypedArray } from '../../core/onnx/dtype.ts';
import type { ValueInfo } from '../../core/onnx/model.ts';
import { RetortError } from '../../errors.ts';
import type { Runtime, Session, SessionOptions } from '../../pipeline/ports.ts';
import { onnxruntimeDevices } from './onnxruntime-devices.ts';
import { onnxruntimeError } from './onnxruntime-errors.ts';

type Engine = typeof import('onnxruntime-node');
type Feeds = Readonly<Record<string, NDArray>>;

const require = createRequire(import.meta.url);
let loaded: Engine | undefined;

/** The native library, loaded at first use: commands that run no model must not pay for it or need it. */
function engine(): Engine {
  if (loaded) return loaded;
  try {
    loaded = require('onnxruntime-node') as Engine;
  } catch (cause) {
    throw new RetortError('RUNTIME_UNAVAILABLE', 'onnxruntime-node cannot be loaded on this machine', {
      cause,
      hint: 'Run `npm install` again on this platform (Linux x64/arm64, macOS arm64, Windows).',
    });
  }
  // Refusals come back as errors; nothing should reach the terminal besides.
  loaded.env.logLevel = 'fatal';
  return loaded;
}

/**
 * Models run by onnxruntime-node. `run` blocks the event loop and cannot be cancelled: open models in the job's own
 * process. Feeds are used in place and results are fresh arrays of their own.
 */
export const onnxruntime: Runtime = {
  get version(): string {
    return (require('onnxruntime-node/package.json') as { version: string }).version;
  },

  devices() {
    const backends = engine().listSupportedBackends();
    return onnxruntimeDevices(backends.map((backend) => backend.name));
  },

  async open(model, options) {
    if (options.device === 'cuda') requireDevice(options.device);
    try {
      return new OnnxruntimeSession(await engine().InferenceSession.create(model, sessionOptions(options)));
    } catch (cause) {
      throw onnxruntimeError(cause, 'the model cannot be opened');
    }
  },
};

function requireDevice(device: SessionOptions['device']): void {
  const found = onnxruntime.devices().find((entry) => entry.device === device);
  if (found?.available) return;
  throw new RetortError('RUNTIME_UNAVAILABLE', `device "${device}" cannot be used: ${found?.why}`);
}

function sessionOptions(options: SessionOptions): InferenceSession.SessionOptions {
  const threads = options.threads || threadsByItself();
  const external = [...(options.externalData ?? [])].map(([path, data]) => ({ path, data }));
  return {
    executionProviders: [options.device],
    graphOptimizationLevel: options.optimization ?? 'all',
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
    ...(external.length ? { externalData: external } : {}),
    ...(options.config ? { extra: { ...options.config } } : {}),
  };
}

/**
 * onnxruntime counts the machine's cores and binds a thread to each. In a container that may use fewer, this fails, and
 * its threads wait for each other on the few: half as fast, or worse. 0, its own choice, where all may be used.
 */
function threadsByItself(): number {
  const usable = availableParallelism();
  return usable < cpus().length ? usable : 0;
}

class OnnxruntimeSession implements Session {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly #session: InferenceSession;

  constructor(session: InferenceSession) {
    this.#session = session;
    this.inputs = session.inputMetadata.map(toValueInfo);
    this.outputs = session.outputMetadata.map(toValueInfo);
  }

  /** Fetches every tensor output unless told which; sequences and maps cannot be fetched. */
  async run(feeds: Feeds, fetches?: readonly string[]): Promise<Record<string, NDArray>> {
    const wanted = fetches ?? this.outputs.filter((output) => output.dtype).map((output) => output.name);
    for (const name of wanted) {
      const output = this.outputs.find((candidate) => candidate.name === name);
      if (!output) throw new RetortError('RUNTIME_FAILED', `the model has no output "${name}"`);
      if (!output.dtype) throw new RetortError('ONNX_UNSUPPORTED', `output "${name}" is not a tensor`);
    }
    try {
      const results = await this.#session.run(this.#tensors(feeds), wanted);
      return Object.fromEntries(wanted.map((name) => [name, toArray(results[name]!)]));
    } catch (cause) {
      throw onnxruntimeError(cause, 'running the model failed');
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  #tensors(feeds: Feeds): Record<string, Tensor> {
    const { Tensor } = engine();
    return Object.fromEntries(
      Object.entries(feeds).map(([name, { dtype, dims, data }]) => {
        const expected = this.inputs.find((input) => input.name === name)?.dtype;
        if (expected && expected !== dtype) {
          throw new RetortError('RUNTIME_FAILED', `input "${name}" takes ${expected}, not ${dtype}`);
        }
        return [name, new Tensor(dtype as Tensor.Type, data as Tensor.DataType, dims)];
      }),
    );
  }
}

function toValueInfo(meta: InferenceSession.ValueMetadata): ValueInfo {
  if (!meta.isTensor) return { name: meta.name, dtype: undefined, shape: undefined };
  return { name: meta.name, dtype: meta.type as DType, shape: meta.shape.map((dim) => dim ?? '') };
}

function toArray(result: Tensor): NDArray {
  const dtype = result.type as DType;
  const { dims } = result;
  if (dtype === 'string') return { dtype, dims, data: result.data as string[] };
  const data = result.data as TypedArray;
  const View = dtypes[dtype].array;
  // Newer Nodes give half floats as Float16Array; ours are bit patterns everywhere.
  if (!View || data instanceof View) return { dtype, dims, data };
  const { buffer, byteOffset, length } = data as TypedArray;
  return { dtype, dims, data: new View(buffer as ArrayBuffer, byteOffset, length) };
}
