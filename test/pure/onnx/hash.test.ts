import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { decodeModel } from '../../../src/core/onnx/decode.ts';
import { encodeModel } from '../../../src/core/onnx/encode.ts';
import { hashModel } from '../../../src/core/onnx/hash.ts';
import { type Plain, witnessRead, witnessWrite } from '../../support/onnx-witness.ts';
import { sampleModel } from '../../support/sample-model.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const hash = (file: Uint8Array) => hashModel(decodeModel(file), sha256);

/** The sample as plain data, to write it again in another way. */
function sample(
  edit: (model: Plain, graph: Plain & { node: Plain[]; initializer: Plain[] }) => void,
): Uint8Array {
  const model = witnessRead(encodeModel(sampleModel()));
  edit(model, model.graph as Plain & { node: Plain[]; initializer: Plain[] });
  return witnessWrite(model);
}

test('the hash names content, not how a file was written', () => {
  const original = hash(encodeModel(sampleModel()));
  assert.match(original, /^[0-9a-f]{64}$/);
  const rewritten = sample((model, graph) => {
    (model.opset_import as Plain[]).reverse();
    graph.initializer.reverse();
    for (const node of graph.node) (node.attribute as Plain[] | undefined)?.reverse();
    const weight = graph.initializer.find(({ name }) => name === 'conv.weight')!;
    const raw = Uint8Array.from(weight.raw_data as Uint8Array);
    weight.float_data = [...new Float32Array(raw.buffer)];
    delete weight.raw_data;
  });
  assert.notEqual(sha256(rewritten), sha256(encodeModel(sampleModel())));
  assert.equal(hash(rewritten), original);
});

test('any change of content changes the hash', () => {
  const edits: Parameters<typeof sample>[0][] = [
    () => {},
    (model) => Object.assign(model, { ir_version: 9 }),
    (model) => Object.assign(model, { functions: [{ name: 'F' }] }),
    (_, graph) => Object.assign(graph, { name: 'other' }),
    (_, graph) => graph.node.pop(),
    (_, graph) => Object.assign(graph.node[0]!, { op_type: 'ConvInteger' }),
    (_, graph) => Object.assign((graph.node[0]!.attribute as Plain[])[0]!, { name: 'dilations' }),
    (_, graph) => Object.assign(graph.initializer[0]!, { name: 'renamed' }),
    (_, graph) => (graph.initializer[0]!.raw_data as Uint8Array).fill(1, 0, 1),
  ];
  assert.equal(new Set(edits.map((edit) => hash(sample(edit)))).size, edits.length);
});
