import type { Addon, Handle, HostValues, OpAttribute } from '../native/addon.ts';

/** A node of a TensorFlow graph; `name:output` is how others read it. */
export type RecordedNode =
  | { readonly kind: 'placeholder'; readonly name: string; readonly dtype: number; readonly shape: Shape }
  | {
      readonly kind: 'constant';
      readonly name: string;
      readonly dtype: number;
      readonly shape: Shape;
      readonly values: HostValues;
    }
  | {
      readonly kind: 'operation';
      readonly name: string;
      readonly op: string;
      readonly attributes: readonly OpAttribute[];
      readonly inputs: readonly string[];
    };

type Shape = readonly number[];

/**
 * What a function does on libtensorflow, written down while it is done: `addon` stands in for tfjs-node's during one call.
 * Whatever is not made from the placeholders is the same in every call, and becomes a constant. Where the host reads
 * what is made from them, its choices are not in the graph: `obstacle` says so, and the record is worth nothing.
 */
export class Recording {
  readonly nodes: RecordedNode[] = [];
  readonly addon: Addon;
  obstacle: string | undefined;
  readonly #real: Addon;
  readonly #most: number;
  /** Where the graph has a tensor, by the addon's number, which is never given twice. */
  readonly #places = new Map<number, string>();
  readonly #varying = new Set<number>();

  /** More than `most` nodes are an obstacle. */
  constructor(real: Addon, most: number) {
    this.#real = real;
    this.#most = most;
    // The addon's own properties cannot be written.
    this.addon = Object.create(real, {
      createTensor: { value: this.#createTensor.bind(this) },
      executeOp: { value: this.#executeOp.bind(this) },
      tensorDataSync: { value: this.#tensorDataSync.bind(this) },
    }) as Addon;
  }

  /** Declares a tensor that is another one in every call. */
  placeholder(id: number): string {
    const { dtype, shape } = this.#look(id);
    const name = this.#add((name) => ({ kind: 'placeholder', name, dtype, shape }));
    this.#places.set(id, `${name}:0`);
    this.#varying.add(id);
    return `${name}:0`;
  }

  /** A name to fetch this tensor by: a node of its own, as what is fed cannot be fetched. */
  output(id: number): string {
    const inputs = [this.#place(id)];
    const attributes = [{ name: 'T', type: this.#real.TF_ATTR_TYPE, value: this.#look(id).dtype }];
    return `${this.#add((name) => ({ kind: 'operation', name, op: 'Identity', attributes, inputs }))}:0`;
  }

  #createTensor(shape: Shape, dtype: number, values: HostValues): number {
    const id = this.#real.createTensor(shape, dtype, values);
    this.#constant(id, { dtype, shape }, values);
    return id;
  }

  #executeOp(
    op: string,
    attributes: readonly OpAttribute[],
    ids: readonly number[],
    count: number,
  ): Handle[] {
    const inputs = ids.map((id) => this.#place(id));
    const made = this.#real.executeOp(op, attributes, ids, count);
    const name = this.#add((name) => ({ kind: 'operation', name, op, attributes, inputs }));
    const varies = ids.some((id) => this.#varying.has(id));
    made.forEach(({ id }, i) => {
      this.#places.set(id, `${name}:${i}`);
      if (varies) this.#varying.add(id);
    });
    return made;
  }

  #tensorDataSync(id: number): HostValues {
    if (this.#varying.has(id)) this.obstacle ??= `values of ${this.#places.get(id)} are read on the way`;
    return this.#real.tensorDataSync(id);
  }

  /** What was there before the recording began is a constant. */
  #place(id: number): string {
    const known = this.#places.get(id);
    if (known !== undefined) return known;
    return this.#constant(id, this.#look(id), this.#real.tensorDataSync(id));
  }

  #constant(id: number, { dtype, shape }: Omit<Handle, 'id'>, values: HostValues): string {
    // Copied: the array is its owner's to change.
    const name = this.#add((name) => ({
      kind: 'constant',
      name,
      dtype,
      shape: [...shape],
      values: values.slice(),
    }));
    this.#places.set(id, `${name}:0`);
    return `${name}:0`;
  }

  /** The addon has no call for a tensor's type and shape; an operation's output comes with them. */
  #look(id: number): Omit<Handle, 'id'> {
    const [copy] = this.#real.executeOp('Identity', [], [id], 1);
    this.#real.deleteTensor(copy!.id);
    return copy!;
  }

  #add(make: (name: string) => RecordedNode): string {
    const node = make(`n${this.nodes.length}`);
    if (this.nodes.length < this.#most) this.nodes.push(node);
    else this.obstacle ??= `its graph has more than ${this.#most} nodes`;
    return node.name;
  }
}
