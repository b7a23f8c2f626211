import * as tf from '@tensorflow/tfjs-core';
import type { TypedArray } from '../../../core/onnx/dtype.ts';
import { sizeOf, typedData } from '../../../core/onnx/tensor.ts';
import { initialState, namedTensors } from '../../../core/program/carried-state.ts';
import { chunkData } from '../../../core/program/chunk-data.ts';
import type { Chunk, ChunkResult, KernelOptions, Snapshot, Trainer } from '../../../core/program/kernel.ts';
import { type Carried, gradientInput, type LoweredStep, lowerUpdate } from '../../../core/program/lower.ts';
import type { Program, ProgramInput } from '../../../core/program/program.ts';
import { refuseDivergence } from '../../../core/program/refuse-divergence.ts';
import { stepScalars } from '../../../core/program/step-scalars.ts';
import type { Backend } from './backend.ts';
import { GraphFunction } from './graph/graph-function.ts';
import { Interpreter } from './interpreter.ts';
import { reshape } from './reshape.ts';
import { toOnnx, toTf } from './values.ts';

type Tensors = ReadonlyMap<string, tf.Tensor>;
type Data = readonly (readonly [ProgramInput, TypedArray])[];
type Scalars = Readonly<Record<string, Float32Array>>;

/** Between two steps tfjs gives back nothing but memory, so steps need not be many to a run. */
const STEPS = 8;

/** Under which name a step's loss and metrics come out, as one vector; no name of a graph is like it. */
const FIGURES = ' figures';

/**
 * One step = the Program's graph on the tape, its gradients, the lowered update. Carried tensors stay on the backend.
 * On libtensorflow the step is recorded once and run as a graph; plain JavaScript makes it op by op.
 */
export class TfjsTrainer implements Trainer {
  readonly preferredSteps = STEPS;
  readonly #engine: string;
  readonly #program: Program;
  readonly #seed: number;
  readonly #update: LoweredStep;
  /** The carried tensors the Program's graph reads: its parameters and state, not slots and averages. */
  readonly #trained: readonly Carried[];
  readonly #forward: Interpreter;
  readonly #after: Interpreter;
  readonly #graph: GraphFunction | undefined;
  #carried: Tensors;
  #done: number;

  constructor(program: Program, options: KernelOptions, backend: Backend) {
    this.#engine = `tfjs ${tf.version_core}, ${backend.name} (${backend.note})`;
    this.#program = program;
    this.#seed = options.seed;
    this.#update = lowerUpdate(program);
    this.#trained = this.#update.carried.filter(({ members }) =>
      program.graph.initializers.has(members[0]!.name),
    );
    this.#forward = new Interpreter(program.graph);
    this.#after = new Interpreter(this.#update.graph);
    if (backend.name === 'tensorflow') this.#graph = new GraphFunction((inputs) => this.#compute(inputs));
    this.#done = options.snapshot?.step ?? 0;
    const state = initialState(program, this.#update.carried, options.snapshot);
    this.#carried = keep(
      this.#update.carried.map(({ name, dtype, dims }) => [
        name,
        toTf({ dtype, dims, data: state.get(name)! }, name),
      ]),
    );
  }

  get engine(): string {
    const obstacle = this.#graph?.obstacle;
    return obstacle ? `${this.#engine}, op by op: ${obstacle}` : this.#engine;
  }

  async run(chunk: Chunk): Promise<ChunkResult> {
    const data = this.#data(chunk);
    const scalars = stepScalars(this.#program, chunk, this.#done);
    // Kept apart until the chunk is through: a chunk that fails changes nothing.
    let carried = this.#carried;
    const advance = (next: Tensors) => {
      if (carried !== this.#carried) release(carried);
      carried = next;
    };
    const figures: tf.Tensor[] = [];
    let lists: Float32Array[];
    try {
      for (let k = 0; k < chunk.steps; k++) {
        const step = this.#step(carried, data, scalars, k);
        figures.push(step.figures);
        advance(step.next);
      }
      lists = rowsOf(figures);
      refuseDivergence(lists[0]!, this.#done);
    } catch (error) {
      advance(this.#carried);
      throw error;
    } finally {
      for (const each of figures) each.dispose();
    }
    release(this.#carried);
    this.#carried = carried;
    this.#done += chunk.steps;
    const [loss, ...metrics] = lists as [Float32Array, ...Float32Array[]];
    return {
      loss,
      metrics: Object.fromEntries(this.#program.metrics.map((name, i) => [name, metrics[i]!])),
    };
  }

  async gradients(chunk: Chunk) {
    const { program, data } = { program: this.#program, data: this.#data(chunk) };
    const scalars = Object.fromEntries(program.scalars.map((name) => [name, chunk.scalars[name]!]));
    const values = new Map<string, Float32Array>();
    const loss = tf.tidy(() => {
      const feeds = new Map([
        ...scalarsAt(scalars, 0),
        ...named(this.#trained, this.#carried),
        ...rowsAt(data, 0),
      ]);
      const { outputs, gradients } = this.#differentiate(feeds);
      for (const { name } of program.parameters) {
        values.set(name, Float32Array.from(gradients.get(gradientInput(name))!.dataSync()));
      }
      return outputs.get(program.loss)!.dataSync()[0]!;
    });
    return { loss, gradients: values };
  }

  async snapshot(): Promise<Snapshot> {
    const { carried } = this.#update;
    const state = new Map<string, TypedArray>(
      carried.map(({ name, dtype }) => [name, typedData(toOnnx(this.#carried.get(name)!, dtype))]),
    );
    return { step: this.#done, tensors: namedTensors(carried, state) };
  }

  async close(): Promise<void> {
    release(this.#carried);
    this.#graph?.dispose();
    this.#forward.dispose();
    this.#after.dispose();
  }

  /** Step k: its figures as one vector, and what is carried on; both kept, the caller's to release. */
  #step(carried: Tensors, data: Data, scalars: Scalars, k: number) {
    const next = new Map<string, tf.Tensor>();
    const figures = tf.tidy(() => {
      const inputs = new Map([...carried, ...scalarsAt(scalars, k), ...rowsAt(data, k)]);
      const made = this.#graph ? this.#graph.run(inputs) : this.#compute(inputs);
      for (const { name } of this.#update.carried) next.set(name, tf.keep(tf.clone(made.get(name)!)));
      return tf.keep(tf.clone(made.get(FIGURES)!));
    });
    return { figures, next };
  }

  /** What is carried, scalars and data in; what is carried on, by the same names, and the step's figures out. */
  #compute(inputs: Tensors): Tensors {
    const { outputs, gradients } = this.#differentiate(new Map([...inputs, ...named(this.#trained, inputs)]));
    const made = this.#after.run(new Map([...inputs, ...outputs, ...gradients]));
    const figures = [this.#program.loss, ...this.#program.metrics];
    return new Map([
      [FIGURES, tf.stack(figures.map((name) => tf.reshape(outputs.get(name)!, [])))],
      ...this.#update.carried.map(({ name, next }) => [name, made.get(next)!] as const),
    ]);
  }

  /** Outputs of the Program's graph, and the gradient of its loss by every parameter (zero where it plays no part). */
  #differentiate(feeds: Tensors): { readonly outputs: Tensors; readonly gradients: Tensors } {
    const parameters = this.#program.parameters.map(({ name }) => feeds.get(name)!);
    let outputs: Tensors = new Map();
    const loss = () => {
      const made = this.#forward.run(feeds);
      // The tape's own tidy would let the other outputs go; the caller's takes them up below.
      outputs = keep([...made].map(([name, value]) => [name, tf.clone(value)]));
      return tf.reshape(made.get(this.#program.loss)!, []);
    };
    const { grads } = tf.engine().gradients(loss, parameters, undefined, true);
    const own = new Map([...outputs].map(([name, value]) => [name, tf.clone(value)]));
    for (const value of outputs.values()) value.dispose();
    const gradients = this.#program.parameters.map(({ name }, i) => {
      const gradient: tf.Tensor | undefined = grads[i];
      return [gradientInput(name), gradient ?? tf.zerosLike(parameters[i]!)] as const;
    });
    return { outputs: own, gradients: new Map(gradients) };
  }

  #data(chunk: Chunk): Data {
    return [...chunkData(this.#program, chunk, this.#seed, this.#done)];
  }
}

/** The i-th entries of all these vectors, for each i; the one time that something is read back from the backend. */
function rowsOf(vectors: readonly tf.Tensor[]): Float32Array[] {
  const all = tf.tidy(() => tf.stack([...vectors], 1).dataSync()) as Float32Array;
  const size = vectors.length;
  return Array.from({ length: all.length / size }, (_, i) => all.slice(i * size, (i + 1) * size));
}

const keep = (values: readonly (readonly [string, tf.Tensor])[]): Tensors =>
  new Map(values.map(([name, value]) => [name, tf.keep(value)]));

const release = (values: Tensors): void => {
  for (const value of values.values()) value.dispose();
};

const scalarsAt = (scalars: Scalars, k: number): Map<string, tf.Tensor> =>
  new Map(Object.entries(scalars).map(([name, values]) => [name, tf.scalar(values[k]!)]));

/** Row k of all data, by input name. Copied: tfjs keeps what it is given, and the chunk is its caller's to reuse. */
const rowsAt = (data: Data, k: number): [string, tf.Tensor][] =>
  data.map(([{ name, dtype, dims }, rows]) => {
    const size = sizeOf(dims);
    const row = { dtype, dims, data: rows.slice(k * size, (k + 1) * size) };
    return [name, toTf(row, `the input "${name}"`)];
  });

/** Parameters and state under their own names, cut from the carried tensors in which they lie end to end. */
const named = (entries: readonly Carried[], carried: Tensors): [string, tf.Tensor][] =>
  entries.flatMap(({ name, members }) => {
    const value = carried.get(name)!;
    const parts =
      members.length === 1
        ? [value]
        : tf.split(
            value,
            members.map(({ size }) => size),
          );
    return members.map((member, i): [string, tf.Tensor] => [member.name, reshape(parts[i]!, member.dims)]);
  });
