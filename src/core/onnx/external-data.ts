import { RetortError } from '../../errors.ts';
import { nearest } from '../nearest.ts';
import { byteLength } from './dtype.ts';
import type { Attribute, Graph, Model } from './model.ts';
import { type ExternalData, sizeOf, type Tensor } from './tensor.ts';

/** The external files a model names, in order of first use, as written in the model. */
export function externalLocations(model: Model): readonly string[] {
  const found = new Set<string>();
  mapTensors(model.graph, (value) => {
    if (value.external) found.add(value.external.location);
    return value;
  });
  return [...found];
}

/** The names its external files may come by: as written, and without what says "here". */
export const externalNames = (model: Model): readonly string[] =>
  externalLocations(model).flatMap((location) => [location, safePath(location) ?? location]);

/** The model with its locations as the runtime compares them, without what says "here"; the model itself where they are. */
export function withPlainLocations(model: Model): Model {
  const graph = mapTensors(model.graph, (value) => {
    const { external } = value;
    const location = external && safePath(external.location);
    if (!external || location === undefined || location === external.location) return value;
    return { ...value, external: { ...external, location } };
  });
  return graph === model.graph ? model : { ...model, graph };
}

/**
 * The model with its external tensors in memory, as views of the given files (by location). ONNX_EXTERNAL_DATA lists
 * every tensor whose file is missing, too short, or outside the model's folder.
 */
export function resolveExternalData(model: Model, files: ReadonlyMap<string, Uint8Array>): Model {
  const problems: string[] = [];
  const graph = mapTensors(model.graph, (value, where) => {
    if (!value.external) return value;
    const loaded = load(value, value.external, files);
    if (typeof loaded !== 'string') return loaded;
    problems.push(`${where}: ${loaded}`);
    return value;
  });
  if (problems.length) {
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    throw new RetortError('ONNX_EXTERNAL_DATA', `${problems[0]}${more}`, {
      problems,
      hint: 'Send every external file along with the model, under the name the model uses.',
    });
  }
  return graph === model.graph ? model : { ...model, graph };
}

/** The loaded tensor, or what is wrong. */
function load(value: Tensor, place: ExternalData, files: ReadonlyMap<string, Uint8Array>): Tensor | string {
  const path = safePath(place.location);
  if (path === undefined) return `external file "${place.location}" lies outside the model's folder`;
  const file = files.get(place.location) ?? files.get(path);
  if (!file) {
    const meant = nearest(path, [...files.keys()]);
    return `external file "${place.location}" is missing${meant ? `; is it "${meant}", which came?` : ''}`;
  }
  const count = sizeOf(value.dims);
  const length = Number.isSafeInteger(count) ? byteLength(value.dtype, count) : Number.POSITIVE_INFINITY;
  if (place.length !== undefined && place.length !== length) {
    return `it needs ${length} bytes, but the model names ${place.length} of "${place.location}"`;
  }
  if (place.offset + length > file.length) {
    const end = place.offset + length;
    return `external file "${place.location}" is too short: ${file.length} bytes, ${end} needed`;
  }
  const { external: _, ...rest } = value;
  return { ...rest, bytes: new Uint8Array(file.buffer, file.byteOffset + place.offset, length) };
}

/** A relative path below the folder, without `.` parts; undefined for anything that could leave it. */
function safePath(location: string): string | undefined {
  const parts = location.split('/').filter((part) => part !== '.');
  const bad = parts.some((part) => part === '' || part === '..') || /[\\:\0]/.test(location);
  return bad || parts.length === 0 ? undefined : parts.join('/');
}

/** Replaces tensors everywhere: initializers, attributes, bodies. The graph itself where none changed. */
function mapTensors(graph: Graph, f: (value: Tensor, where: string) => Tensor): Graph {
  let changed = false;
  const one = (value: Tensor, where: string): Tensor => {
    const next = f(value, where);
    changed ||= next !== value;
    return next;
  };
  const body = (inner: Graph): Graph => {
    const next = mapTensors(inner, f);
    changed ||= next !== inner;
    return next;
  };
  const initializers = new Map(
    [...graph.initializers].map(([name, value]) => [name, one(value, `initializer "${name}"`)]),
  );
  const nodes = graph.nodes.map((node) => {
    const mapped = Object.entries(node.attributes).map(([key, attribute]): [string, Attribute] => {
      const where = `${node.op} "${node.name}", attribute ${key}`;
      if (attribute.type === 'tensor') return [key, { ...attribute, value: one(attribute.value, where) }];
      if (attribute.type === 'graph') return [key, { ...attribute, value: body(attribute.value) }];
      if (attribute.type === 'graphs') return [key, { ...attribute, value: attribute.value.map(body) }];
      if (attribute.type !== 'tensors') return [key, attribute];
      return [key, { ...attribute, value: attribute.value.map((value) => one(value, where)) }];
    });
    return { ...node, attributes: Object.fromEntries(mapped) };
  });
  return changed ? { ...graph, initializers, nodes } : graph;
}
