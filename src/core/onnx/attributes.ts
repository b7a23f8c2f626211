import { RetortError } from '../../errors.ts';
import type { Attribute, Graph, Node } from './model.ts';
import type { Tensor } from './tensor.ts';

/** Attribute access with defaults. A wrong attribute type is ONNX_INVALID, naming node and attribute. */

/** What a builder may pass: integers become `int`/`ints`; write `float(x)` for a float attribute. */
export type AttributeInput = number | readonly number[] | string | Attribute;

export const float = (value: number): Attribute => ({ type: 'float', value });
export const floats = (value: readonly number[]): Attribute => ({ type: 'floats', value });

export function toAttribute(input: AttributeInput): Attribute {
  if (typeof input === 'string') return { type: 'string', value: new TextEncoder().encode(input) };
  if (typeof input === 'number') return { type: 'int', value: BigInt(input) };
  if (Array.isArray(input)) return { type: 'ints', value: input.map((v: number) => BigInt(v)) };
  return input as Attribute;
}

function read<T extends Attribute['type']>(node: Node, name: string, type: T) {
  const attribute = node.attributes[name];
  if (!attribute) return undefined;
  if (attribute.type !== type) {
    throw new RetortError(
      'ONNX_INVALID',
      `${node.op} "${node.name}": attribute ${name} is ${attribute.type}, not ${type}`,
    );
  }
  return (attribute as Extract<Attribute, { type: T }>).value;
}

/** int64 to number, saturating at the safe integers (INT64_MAX stands for "to the end" in old Slices). */
const toSafe = (value: bigint): number =>
  Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, Number(value)));

export function intAttribute(node: Node, name: string): number | undefined;
export function intAttribute(node: Node, name: string, fallback: number): number;
export function intAttribute(node: Node, name: string, fallback?: number): number | undefined {
  const value = read(node, name, 'int');
  return value === undefined ? fallback : toSafe(value as bigint);
}

export function intsAttribute(node: Node, name: string): number[] | undefined;
export function intsAttribute(node: Node, name: string, fallback: readonly number[]): number[];
export function intsAttribute(node: Node, name: string, fallback?: readonly number[]): number[] | undefined {
  const value = read(node, name, 'ints');
  return value === undefined ? fallback?.slice() : (value as readonly bigint[]).map(toSafe);
}

export function floatAttribute(node: Node, name: string, fallback: number): number {
  return (read(node, name, 'float') as number | undefined) ?? fallback;
}

export function stringAttribute(node: Node, name: string, fallback: string): string {
  const value = read(node, name, 'string') as Uint8Array | undefined;
  return value ? new TextDecoder().decode(value) : fallback;
}

export const tensorAttribute = (node: Node, name: string): Tensor | undefined =>
  read(node, name, 'tensor') as Tensor | undefined;

export const graphAttribute = (node: Node, name: string): Graph | undefined =>
  read(node, name, 'graph') as Graph | undefined;
