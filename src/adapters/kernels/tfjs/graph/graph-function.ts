import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { RetortError } from '../../../../errors.ts';
import { type Handle, nodeBackend } from '../native/addon.ts';
import { Recording } from './recording.ts';
import { savedModel, TAG } from './saved-model.ts';

type Tensors = ReadonlyMap<string, tf.Tensor>;
type Compute = (inputs: Tensors) => Tensors;

/** A session of libtensorflow, and what goes in and comes out by which of its names. */
interface Session {
  readonly number: number;
  readonly inputs: readonly string[];
  readonly inputNames: string;
  readonly outputs: readonly string[];
  readonly outputNames: string;
}

/**
 * libtensorflow rewrites a graph at its first run, half a second per thousand nodes, in which the process shows no sign of
 * life. (An LSTM both ways over 512 steps has 74 thousand.)
 */
const MOST_NODES = 100_000;

/**
 * A function of tensors that libtensorflow runs as one graph: recorded at the first call, and from then on run in a
 * session, which spares the host its work between operations, runs independent ones side by side and rewrites the
 * graph. All inputs keep their names, types and shapes from call to call. A function whose host reads values of tensors
 * on the way, or whose graph is too large or libtensorflow refuses, goes on being called, and `obstacle` says why.
 */
export class GraphFunction {
  readonly #compute: Compute;
  readonly #mostNodes: number;
  #session: Session | undefined;
  #obstacle: string | undefined;

  constructor(compute: Compute, mostNodes = MOST_NODES) {
    this.#compute = compute;
    this.#mostNodes = mostNodes;
  }

  /** Why every call is made op by op. */
  get obstacle(): string | undefined {
    return this.#obstacle;
  }

  /** Its outputs belong to the scope of the caller. RUNTIME_FAILED where libtensorflow refuses values: an index out of range. */
  run(inputs: Tensors): Tensors {
    // The outputs of the recorded call are not used: all calls are to round alike.
    if (!this.#session && this.#obstacle === undefined) this.#record(inputs);
    if (!this.#session) return this.#compute(inputs);
    const backend = nodeBackend();
    const { number, inputNames, outputs, outputNames } = this.#session;
    const ids = backend.getInputTensorIds(this.#session.inputs.map((name) => inputs.get(name)!));
    let made: readonly Handle[];
    try {
      made = backend.binding.runSavedModel(number, ids, inputNames, outputNames);
    } catch (cause) {
      throw (
        this.#named(inputs) ??
        new RetortError('RUNTIME_FAILED', `libtensorflow: ${firstLine(cause)}`, { cause })
      );
    }
    return new Map(outputs.map((name, i) => [name, backend.createOutputTensor(made[i]!)]));
  }

  dispose(): void {
    if (this.#session) nodeBackend().binding.deleteSavedModel(this.#session.number);
    this.#session = undefined;
  }

  /** What the function itself says of these inputs: op by op the operator that fails is known by name. */
  #named(inputs: Tensors): RetortError | undefined {
    try {
      tf.tidy(() => void this.#compute(inputs));
      return undefined;
    } catch (error) {
      return error instanceof RetortError ? error : undefined;
    }
  }

  #record(inputs: Tensors): void {
    const backend = nodeBackend();
    const real = backend.binding;
    const recording = new Recording(real, this.#mostNodes);
    const ids = backend.getInputTensorIds([...inputs.values()]);
    const fed = ids.map((id) => recording.placeholder(id));
    backend.binding = recording.addon;
    const fetched = new Map<string, string>();
    try {
      tf.tidy(() => {
        const made = this.#compute(inputs);
        backend.getInputTensorIds([...made.values()]).forEach((id, i) => {
          fetched.set([...made.keys()][i]!, recording.output(id));
        });
      });
    } finally {
      backend.binding = real;
    }
    this.#obstacle = recording.obstacle;
    if (this.#obstacle !== undefined) return;
    let number: number;
    try {
      number = load(savedModel(recording.nodes, real));
    } catch (cause) {
      // A graph is stricter: op by op an operation need not name the types of its inputs.
      this.#obstacle = firstLine(cause);
      return;
    }
    this.#session = {
      number,
      inputs: [...inputs.keys()],
      inputNames: fed.join(),
      outputs: [...fetched.keys()],
      outputNames: [...fetched.values()].join(),
    };
  }
}

const firstLine = (cause: unknown): string => (cause as Error).message.split('\n')[0]!;

/** libtensorflow loads models from folders alone. */
function load(file: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), 'retort-graph-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), file);
    return nodeBackend().binding.loadSavedModel(folder, TAG);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
