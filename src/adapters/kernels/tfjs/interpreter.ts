import * as tf from '@tensorflow/tfjs-core';
import { composedGraph } from '../../../core/autodiff/compositions/append-composed.ts';
import { isUnusualLstm } from '../../../core/autodiff/compositions/lstm.ts';
import { tensorAttribute } from '../../../core/onnx/attributes.ts';
import type { Graph, Node } from '../../../core/onnx/model.ts';
import { numbers, type Tensor } from '../../../core/onnx/tensor.ts';
import { invariant, RetortError } from '../../../errors.ts';
import { Laid } from './layout.ts';
import { operators } from './operators/index.ts';
import type { Inputs, Made } from './operators/operator.ts';
import { onnxToTf } from './values.ts';

/** Runs an ONNX graph op by op, so that tfjs's tape can follow. Constants are kept on the backend between runs. */
export class Interpreter {
  readonly #nodes: readonly Node[];
  readonly #outputs: readonly string[];
  /** Every name that something reads. */
  readonly #wanted: ReadonlySet<string>;
  readonly #constants: ReadonlyMap<string, Tensor>;
  readonly #kept = new Map<string, tf.Tensor>();

  /** TRAIN_UNSUPPORTED names every operator that is missing here. */
  constructor(given: Graph) {
    const graph = composedGraph(given, (node) => !operators.has(node.op) || isUnusualLstm(node));
    const needed = neededNodes(graph);
    const missing = needed.filter(
      ({ op, domain }) => op !== 'Constant' && (domain !== '' || !operators.has(op)),
    );
    if (missing.length > 0) {
      const names = [...new Set(missing.map(({ op, domain }) => (domain ? `${domain}.${op}` : op)))].sort();
      throw new RetortError('TRAIN_UNSUPPORTED', `the tfjs kernel has no operator ${names.join(', ')}`, {
        hint: 'Use the onnxruntime kernel.',
        problems: missing.map(({ op, name }) => `${op} "${name}"`),
      });
    }
    this.#nodes = needed.filter(({ op }) => op !== 'Constant');
    this.#outputs = graph.outputs.map(({ name }) => name);
    this.#wanted = new Set([...this.#outputs, ...needed.flatMap(({ inputs }) => inputs)].filter(Boolean));
    const inGraph = needed
      .filter(({ op }) => op === 'Constant')
      .map((node): [string, Tensor] => [node.outputs[0]!, constantOf(node)]);
    this.#constants = new Map([...graph.initializers, ...inGraph]);
  }

  /** The graph's outputs by name. Runs in the caller's tidy and on the caller's tape. */
  run(feeds: ReadonlyMap<string, tf.Tensor>): Map<string, tf.Tensor> {
    const values = new Map([...feeds].map(([name, value]) => [name, new Laid(value)]));
    const read = (name: string): Laid => {
      const known = values.get(name);
      if (known) return known;
      const constant = this.#constant(name);
      invariant(constant, `the graph reads "${name}", which nothing feeds or makes`);
      const value = new Laid(constant);
      values.set(name, value);
      return value;
    };
    const settled = (name: string): boolean => this.#constants.has(name) && !feeds.has(name);
    for (const node of this.#nodes) {
      const made = this.#call(node, read, settled);
      node.outputs.forEach((name, i) => {
        if (made[i]) values.set(name, made[i] instanceof Laid ? made[i] : new Laid(made[i]));
        else if (this.#wanted.has(name)) refuseOutput(node, i);
      });
    }
    return new Map(this.#outputs.map((name) => [name, read(name).in('first')]));
  }

  dispose(): void {
    for (const value of this.#kept.values()) value.dispose();
    this.#kept.clear();
  }

  /** `settled` tells which values are the same at every run. */
  #call(node: Node, read: (name: string) => Laid, settled: (name: string) => boolean): readonly Made[] {
    const has = (i: number) => Boolean(node.inputs[i]);
    const constant = (i: number) => has(i) && settled(node.inputs[i]!);
    const inputs: Inputs = {
      length: node.inputs.length,
      has,
      constant,
      laid: (i) => read(node.inputs[i]!),
      tensor: (i) => read(node.inputs[i]!).in('first'),
      numbers: (i) => {
        if (!has(i)) return undefined;
        if (constant(i)) return numbers(this.#constants.get(node.inputs[i]!)!);
        const value = read(node.inputs[i]!).in('first');
        if (value.dtype === 'float32') refuseNumbers(node, i);
        return Array.from(value.dataSync());
      },
    };
    try {
      const made = operators.get(node.op)!(inputs, node);
      return made instanceof tf.Tensor || made instanceof Laid ? [made] : made;
    } catch (cause) {
      if (cause instanceof RetortError) throw cause;
      const why = (cause as Error).message.replace(/^Invalid TF_Status: \d+\s*Message: /, '');
      const name = node.name || node.outputs[0];
      throw new RetortError('RUNTIME_FAILED', `${node.op} "${name}" failed in tfjs: ${why}`, { cause });
    }
  }

  #constant(name: string): tf.Tensor | undefined {
    const known = this.#kept.get(name);
    const value = this.#constants.get(name);
    if (known || !value) return known;
    const made = tf.keep(onnxToTf(value, `the constant "${name}"`));
    this.#kept.set(name, made);
    return made;
  }
}

/** Nodes on the way to an output, in order. */
function neededNodes(graph: Graph): Node[] {
  const wanted = new Set(graph.outputs.map(({ name }) => name));
  const needed = [...graph.nodes].reverse().filter(({ inputs, outputs }) => {
    if (!outputs.some((name) => wanted.has(name))) return false;
    for (const name of inputs) wanted.add(name);
    return true;
  });
  return needed.reverse();
}

function constantOf(node: Node): Tensor {
  const value = tensorAttribute(node, 'value');
  if (value) return value;
  throw new RetortError('TRAIN_UNSUPPORTED', `Constant "${node.name}" is not given as a tensor`);
}

function refuseOutput({ op, name }: Node, i: number): never {
  throw new RetortError('TRAIN_UNSUPPORTED', `the tfjs kernel does not make output ${i} of ${op} "${name}"`, {
    hint: 'Use the onnxruntime kernel.',
  });
}

/** Numbers of the host are off the tape; whatever is trained would silently get no gradient through them. */
function refuseNumbers({ op, name }: Node, i: number): never {
  throw new RetortError(
    'TRAIN_UNSUPPORTED',
    `the tfjs kernel needs input ${i} of ${op} "${name}" to be constant`,
    {
      hint: 'Use the onnxruntime kernel.',
    },
  );
}
