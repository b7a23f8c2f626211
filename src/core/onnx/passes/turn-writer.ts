import { intAttribute, intsAttribute, toAttribute } from '../attributes.ts';
import type { Graph, Node } from '../model.ts';
import type { ValueType } from '../ops/op.ts';
import { type Tensor, tensor } from '../tensor.ts';
import { identity, spliceBody } from './splice-body.ts';

type Types = ReadonlyMap<string, ValueType>;

/** Where the axis lies along which sequence i is read, or result i is written. */
export const axisOf = (node: Node, attribute: string, i: number, rank: number): number => {
  const axis = intsAttribute(node, attribute)?.[i] ?? 0;
  return axis < 0 ? axis + rank : axis;
};

/** What a Scan reads row by row: its last inputs. */
export const scanned = (node: Node): string[] =>
  node.inputs.slice(node.inputs.length - intAttribute(node, 'num_scan_inputs', 0));

/** Writes out what a loop does, as nodes of the graph around it; constants go to `stored`. */
export class TurnWriter {
  readonly #stored: Map<string, Tensor>;
  readonly #fresh: (stem: string) => string;

  constructor(stored: Map<string, Tensor>, fresh: (stem: string) => string) {
    this.#stored = stored;
    this.#fresh = fresh;
  }

  loop(node: Node, body: Graph, turns: number): Node[] {
    const still = this.#store(tensor('bool', [], [1]));
    const heads = Array.from({ length: turns }, (_, turn) => [
      this.#store(tensor('int64', [], [turn])),
      still,
    ]);
    return this.#turns(node, body, heads, node.inputs.slice(2), (made) => made.slice(1), []);
  }

  scan(node: Node, body: Graph, turns: number, types: Types): Node[] {
    const read = scanned(node);
    const before: Node[] = [];
    const rows = read.map((name, i) => {
      const axis = axisOf(node, 'scan_input_axes', i, types.get(name)!.shape!.length);
      const parts = Array.from({ length: turns }, () => this.#fresh('part'));
      const cut = this.#node('Split', [name, this.#ints(parts.map(() => 1))], parts, { axis });
      const flat = parts.map((part) =>
        this.#node('Squeeze', [part, this.#ints([axis])], [this.#fresh('row')]),
      );
      before.push(cut, ...flat);
      const made = flat.map(({ outputs }) => outputs[0]!);
      return intsAttribute(node, 'scan_input_directions')?.[i] ? made.reverse() : made;
    });
    const states = node.inputs.slice(0, node.inputs.length - read.length);
    const tails = Array.from({ length: turns }, (_, turn) => rows.map((row) => row[turn]!));
    return [...before, ...this.#turns(node, body, [], states, (made) => made, tails)];
  }

  /** The body once per turn; what it carries goes from turn to turn, what it writes is stacked. */
  #turns(
    node: Node,
    body: Graph,
    heads: readonly (readonly string[])[],
    initial: readonly string[],
    results: (made: readonly string[]) => readonly string[],
    tails: readonly (readonly string[])[],
  ): Node[] {
    let carried = initial;
    const nodes: Node[] = [];
    const written: string[][] = [];
    for (let turn = 0; turn < Math.max(heads.length, tails.length); turn++) {
      const given = [...(heads[turn] ?? []), ...carried, ...(tails[turn] ?? [])];
      const made = spliceBody(body, given, this.#stored, this.#fresh);
      nodes.push(...made.nodes);
      const all = results(made.outputs);
      carried = all.slice(0, initial.length);
      all.slice(initial.length).forEach((name, i) => {
        written[i] ??= [];
        written[i].push(name);
      });
    }
    const ends = node.outputs.flatMap((to, i) => {
      if (to === '') return [];
      if (i < initial.length) return [identity(carried[i]!, to)];
      return this.#stacked(node, written[i - initial.length]!, i - initial.length, to);
    });
    return [...nodes, ...ends];
  }

  /** Values laid side by side along a new axis: the first, or the one a Scan names. */
  #stacked(node: Node, values: readonly string[], i: number, to: string): Node[] {
    const axis = intsAttribute(node, 'scan_output_axes')?.[i] ?? 0;
    const rows = values.map((name) =>
      this.#node('Unsqueeze', [name, this.#ints([axis])], [this.#fresh('row')]),
    );
    const names = rows.map(({ outputs }) => outputs[0]!);
    if (intsAttribute(node, 'scan_output_directions')?.[i]) names.reverse();
    return [...rows, this.#node('Concat', names, [to], { axis })];
  }

  #node(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, number>> = {},
  ): Node {
    const entries = Object.entries(attributes).map(([key, value]) => [key, toAttribute(value)] as const);
    return { op, domain: '', name: '', inputs, outputs, attributes: Object.fromEntries(entries) };
  }

  #ints(values: readonly number[]): string {
    return this.#store(tensor('int64', [values.length], values));
  }

  #store(value: Tensor): string {
    const name = this.#fresh('turn');
    this.#stored.set(name, value);
    return name;
  }
}
