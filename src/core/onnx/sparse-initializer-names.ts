import { GraphProtoKept, SparseTensorProtoKept, TensorProto } from './fields.gen.ts';
import type { Graph } from './model.ts';
import { WireReader } from './wire-reader.ts';

/** Names of the sparse initializers of a graph: the codec keeps them as wire bytes, but nodes read them. */
export function sparseInitializerNames(graph: Graph): string[] {
  if (!graph.rest) return [];
  const kept = WireReader.open(graph.rest, GraphProtoKept);
  return kept.each('sparse_initializer', SparseTensorProtoKept, (sparse) => {
    return sparse.child('values', TensorProto)?.string('name') ?? '';
  });
}
