import type { NDArray } from '../../core/ndarray.ts';
import { BUILD_IR_VERSION } from '../../core/onnx/builder.ts';
import { byteLength, type TypedArray } from '../../core/onnx/dtype.ts';
import { encodeModel } from '../../core/onnx/encode.ts';
import type { Graph } from '../../core/onnx/model.ts';
import { sizeOf, typedData } from '../../core/onnx/tensor.ts';
import { type CarriedState, initialState, namedTensors } from '../../core/program/carried-state.ts';
import { chunkData } from '../../core/program/chunk-data.ts';
import { FUSED_OPSETS, fuseTransposes } from '../../core/program/fuse-transposes.ts';
import type {
  Chunk,
  ChunkResult,
  KernelOptions,
  Trainer,
  TrainingKernel,
} from '../../core/program/kernel.ts';
import { carriedOut, loopGraph, STEPS_INPUT, stacked } from '../../core/program/loop.ts';
import { type LoweredStep, lowerGradients, lowerStep } from '../../core/program/lower.ts';
import type { Program } from '../../core/program/program.ts';
import { refuseDivergence } from '../../core/program/refuse-divergence.ts';
import { stepScalars } from '../../core/program/step-scalars.ts';
import type { Runtime, Session } from '../../pipeline/ports.ts';

/** A run blocks its thread, so it should end soon; data of all its steps are in memory at once. */
const RUN_MILLISECONDS = 300;
const RUN_BYTES = 256 * 2 ** 20;
const MOST_STEPS = 256;
const FIRST_STEPS = 4;

/** Trains by running one graph: autodiff makes forward, gradients and update one ONNX graph, K steps run in a Loop. */
export const onnxruntimeKernel = (runtime: Runtime): TrainingKernel => ({
  name: 'onnxruntime',
  declines: async () => undefined,
  async open(program, options) {
    const step = lowerStep(program, targetOf(options));
    const graph = forDevice(step.graph, options);
    const session = await openGraph(runtime, loopGraph({ ...step, graph }), options);
    return new OrtTrainer(runtime, program, options, step, session);
  },
});

const targetOf = ({ device }: KernelOptions) => (device === 'cuda' ? 'ort-cuda' : 'ort-cpu');

const forDevice = (graph: Graph, { device }: KernelOptions): Graph =>
  device === 'cpu' ? fuseTransposes(graph) : graph;

const openGraph = (runtime: Runtime, graph: Graph, { device, threads }: KernelOptions): Promise<Session> =>
  runtime.open(
    encodeModel({ irVersion: BUILD_IR_VERSION, opsets: FUSED_OPSETS, producer: 'retort', graph }),
    {
      device,
      threads,
      // One less than all: blocked layouts need constant weights, and for pools alone tensors would be reordered.
      optimization: 'extended',
      // Second moments and decayed weights sink below the normal numbers, where arithmetic is a hundred times slower.
      config: { 'session.set_denormal_as_zero': '1' },
    },
  );

class OrtTrainer implements Trainer {
  readonly #runtime: Runtime;
  readonly #program: Program;
  readonly #options: KernelOptions;
  readonly #step: LoweredStep;
  readonly #session: Session;
  #gradients: { readonly session: Session; readonly names: ReadonlyMap<string, string> } | undefined;
  #state: CarriedState;
  #done: number;
  #stepMilliseconds: number | undefined;
  #runs = 0;

  constructor(
    runtime: Runtime,
    program: Program,
    options: KernelOptions,
    step: LoweredStep,
    session: Session,
  ) {
    this.#runtime = runtime;
    this.#program = program;
    this.#options = options;
    this.#step = step;
    this.#session = session;
    this.#state = initialState(program, step.carried, options.snapshot);
    this.#done = options.snapshot?.step ?? 0;
  }

  get engine(): string {
    return `onnxruntime ${this.#runtime.version}, ${this.#options.device}`;
  }

  get preferredSteps(): number {
    const bytes = this.#step.data.reduce((sum, { dims, dtype }) => sum + byteLength(dtype, sizeOf(dims)), 0);
    const fits = Math.max(1, Math.floor(RUN_BYTES / Math.max(1, bytes)));
    const known = this.#stepMilliseconds;
    const quick = known === undefined ? FIRST_STEPS : Math.max(1, Math.floor(RUN_MILLISECONDS / known));
    return Math.min(fits, quick, MOST_STEPS);
  }

  async run(chunk: Chunk): Promise<ChunkResult> {
    const { steps } = chunk;
    const feeds: Record<string, NDArray> = {
      [STEPS_INPUT]: { dtype: 'int64', dims: [], data: BigInt64Array.of(BigInt(steps)) },
    };
    for (const { name, dtype, dims } of this.#step.carried) {
      feeds[name] = { dtype, dims, data: this.#state.get(name)! };
    }
    for (const [{ name, dtype, dims }, data] of chunkData(
      this.#program,
      chunk,
      this.#options.seed,
      this.#done,
    )) {
      feeds[stacked(name)] = { dtype, dims: [steps, ...dims], data };
    }
    for (const [name, data] of Object.entries(stepScalars(this.#program, chunk, this.#done))) {
      feeds[stacked(name)] = { dtype: 'float32', dims: [steps], data };
    }
    const started = performance.now();
    const results = await this.#session.run(feeds);
    this.#calibrate((performance.now() - started) / steps);

    const rows = Object.fromEntries(
      this.#step.results.map((name) => [name, results[name]!.data as Float32Array]),
    );
    const { [this.#program.loss]: loss, ...metrics } = rows;
    refuseDivergence(loss!, this.#done);
    this.#state = new Map(
      this.#step.carried.map(({ name }) => [name, results[carriedOut(name)]!.data as TypedArray]),
    );
    this.#done += steps;
    return { loss: loss!, metrics };
  }

  async gradients(chunk: Chunk) {
    this.#gradients ??= await this.#openGradients();
    const { session, names } = this.#gradients;
    const feeds: Record<string, NDArray> = {};
    for (const [name, value] of namedTensors(this.#step.carried, this.#state)) {
      if (!session.inputs.some((input) => input.name === name)) continue;
      feeds[name] = { dtype: value.dtype, dims: value.dims, data: typedData(value) };
    }
    for (const [{ name, dtype, dims }, data] of chunkData(
      this.#program,
      chunk,
      this.#options.seed,
      this.#done,
    ))
      feeds[name] = { dtype, dims, data };
    for (const name of this.#program.scalars) {
      feeds[name] = { dtype: 'float32', dims: [], data: chunk.scalars[name]! };
    }
    const results = await session.run(feeds);
    const values = (name: string) => results[name]!.data as Float32Array;
    const gradients = new Map([...names].map(([name, output]) => [name, values(output)] as const));
    return { loss: values(this.#program.loss)[0]!, gradients };
  }

  async snapshot() {
    return { step: this.#done, tensors: namedTensors(this.#step.carried, this.#state) };
  }

  async close(): Promise<void> {
    await this.#session.close();
    await this.#gradients?.session.close();
  }

  async #openGradients() {
    const { graph, gradients } = lowerGradients(this.#program, targetOf(this.#options));
    const session = await openGraph(this.#runtime, forDevice(graph, this.#options), this.#options);
    return { session, names: gradients };
  }

  /** The first run also allocates; later ones are smoothed, so that one slow run does not change the chunking much. */
  #calibrate(milliseconds: number): void {
    const known = this.#runs++ < 2 ? undefined : this.#stepMilliseconds;
    this.#stepMilliseconds = known === undefined ? milliseconds : 0.7 * known + 0.3 * milliseconds;
  }
}
