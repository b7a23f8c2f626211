import * as tf from '@tensorflow/tfjs-core';
import type { TypedArray } from '../../../core/onnx/dtype.ts';
import { sizeOf, typedData } from '../../../core/onnx/tensor.ts';
import { initialState, namedTensors } from '../../../core/program/carried-state.ts';
import type { Chunk, ChunkResult, KernelOptions, Snapshot, Trainer } from '../../../core/program/kernel.ts';
import { type Carried, gradientInput, type LoweredStep, lowerUpdate } from '../../../core/program/lower.ts';
import { noiseFor } from '../../../core/program/noise.ts';
import type { Program, ProgramInput } from '../../../core/program/program.ts';
import { stepScalars } from '../../../core/program/step-scalars.ts';
import { invariant, RetortError } from '../../../errors.ts';
import type { Backend } from './backend.ts';
import { Interpreter } from './interpreter.ts';
import { toOnnx, toTf } from './values.ts';

type Tensors = ReadonlyMap<string, tf.Tensor>;

/** Between two steps tfjs gives back nothing but memory, so steps need not be many to a run. */
const STEPS = 8;

/** One step = the Program's graph on the tape, its gradients, the lowered update. Carried tensors stay on the backend. */
export class TfjsTrainer implements Trainer {
  readonly preferredSteps = STEPS;
  readonly backend: Backend;
  readonly #program: Program;
  readonly #seed: number;
  readonly #update: LoweredStep;
  readonly #forward: Interpreter;
  readonly #after: Interpreter;
  #carried: Tensors;
  #done: number;

  constructor(program: Program, options: KernelOptions, backend: Backend) {
    this.backend = backend;
    this.#program = program;
    this.#seed = options.seed;
    this.#update = lowerUpdate(program);
    this.#forward = new Interpreter(program.graph);
    this.#after = new Interpreter(this.#update.graph);
    this.#done = options.snapshot?.step ?? 0;
    const state = initialState(program, this.#update.carried, options.snapshot);
    this.#carried = keep(
      this.#update.carried.map(({ name, dtype, dims }) => [
        name,
        toTf({ dtype, dims, data: state.get(name)! }, name),
      ]),
    );
  }

  async run(chunk: Chunk): Promise<ChunkResult> {
    const { loss, metrics: names } = this.#program;
    const results = new Map([loss, ...names].map((name) => [name, new Float32Array(chunk.steps)]));
    const scalars = stepScalars(this.#program, chunk, this.#done);
    for (let k = 0; k < chunk.steps; k++) {
      const next = tf.tidy(() => {
        const given = scalarsAt(scalars, k);
        const { outputs, gradients } = this.#differentiate(this.#feeds(chunk, k, given));
        for (const [name, values] of results) values[k] = outputs.get(name)!.dataSync()[0]!;
        refuseDivergence(results.get(loss)![k]!, this.#done);
        const made = this.#after.run(new Map([...this.#carried, ...given, ...outputs, ...gradients]));
        const list = this.#update.carried.map(({ name, next }) => [name, made.get(next)!] as const);
        return Object.fromEntries(list);
      });
      this.#replace(new Map(Object.entries(next)));
      this.#done++;
    }
    const metrics = Object.fromEntries(names.map((name) => [name, results.get(name)!]));
    return { loss: results.get(loss)!, metrics };
  }

  async gradients(chunk: Chunk) {
    const { program, values } = { program: this.#program, values: new Map<string, Float32Array>() };
    const loss = tf.tidy(() => {
      const given = scalarsAt(
        Object.fromEntries(program.scalars.map((name) => [name, chunk.scalars[name]!])),
        0,
      );
      const { outputs, gradients } = this.#differentiate(this.#feeds(chunk, 0, given));
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
    this.#replace(new Map());
    this.#forward.dispose();
    this.#after.dispose();
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

  /** Everything the forward graph reads at step k of a chunk. */
  #feeds(chunk: Chunk, k: number, scalars: Tensors): Tensors {
    const feeds = new Map(scalars);
    for (const entry of this.#update.carried) unpackInto(feeds, entry, this.#carried.get(entry.name)!);
    for (const input of this.#program.batch) {
      const value = chunk.feeds[input.name];
      const wanted = [chunk.steps, ...input.dims].join();
      const fits = value?.dims.join() === wanted && value.dtype === input.dtype;
      invariant(fits, `the chunk's "${input.name}" must be ${input.dtype} [${wanted}]`);
      feeds.set(input.name, rowOf(input, value.data as TypedArray, k));
    }
    for (const input of this.#program.noise) {
      feeds.set(input.name, rowOf(input, noiseFor(input, this.#seed, this.#done, 1), 0));
    }
    return feeds;
  }

  #replace(next: Tensors): void {
    const kept = keep([...next]);
    for (const value of this.#carried.values()) value.dispose();
    this.#carried = kept;
  }
}

const keep = (values: readonly (readonly [string, tf.Tensor])[]): Tensors =>
  new Map(values.map(([name, value]) => [name, tf.keep(value)]));

const scalarsAt = (scalars: Readonly<Record<string, Float32Array>>, k: number): Map<string, tf.Tensor> =>
  new Map(Object.entries(scalars).map(([name, values]) => [name, tf.scalar(values[k]!)]));

const rowOf = ({ name, dtype, dims }: ProgramInput, data: TypedArray, k: number): tf.Tensor => {
  const size = sizeOf(dims);
  return toTf({ dtype, dims, data: data.subarray(k * size, (k + 1) * size) }, `the input "${name}"`);
};

/** The tensors that lie end to end in a carried one, under their own names. */
function unpackInto(feeds: Map<string, tf.Tensor>, { members, dims }: Carried, value: tf.Tensor): void {
  if (members.length === 1 && members[0]!.dims.join() === dims.join()) {
    feeds.set(members[0]!.name, value);
    return;
  }
  for (const member of members) {
    feeds.set(member.name, tf.reshape(tf.slice(value, member.offset, member.size), [...member.dims]));
  }
}

function refuseDivergence(loss: number, step: number): void {
  if (Number.isFinite(loss)) return;
  throw new RetortError('TRAIN_DIVERGED', `the loss is ${loss} at step ${step}`, {
    hint: 'Lower the learning rate, warm up longer, or clip the gradients.',
    facts: { step },
  });
}
