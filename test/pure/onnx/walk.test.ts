import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node } from '../../../src/core/onnx/model.ts';
import { consumers, producers, topologicalOrder, visitNodes } from '../../../src/core/onnx/walk.ts';
import { sampleModel } from '../../support/sample-model.ts';

const { graph } = sampleModel();
const ops = (nodes: readonly Node[] | undefined) => nodes?.map(({ op }) => op);

test('producers, consumers and visits look into bodies', () => {
  assert.equal(producers(graph).get('c')?.op, 'Conv');
  assert.deepEqual(ops(consumers(graph).get('r')), ['Upsample', 'ReduceMax', 'If']);
  assert.equal(consumers(graph).get('y'), undefined);
  const seen: string[] = [];
  visitNodes(graph, ({ op }, { name }) => seen.push(`${name}/${op}`));
  assert.deepEqual(seen.slice(-2), ['yes/Relu', 'no/Neg']);
  assert.equal(seen.length, graph.nodes.length + 2);
});

test('an order that holds is kept; any other becomes one that holds', () => {
  assert.deepEqual(topologicalOrder(graph), graph.nodes);
  const reversed = topologicalOrder({ ...graph, nodes: graph.nodes.toReversed() });
  const place = new Map(reversed.map((node, i) => [node, i]));
  assert.equal(place.size, graph.nodes.length);
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      for (const reader of consumers(graph).get(output) ?? [])
        assert.ok(place.get(node)! < place.get(reader)!);
    }
  }
});

test('a circle is refused, naming a node of it', () => {
  const node = (name: string, input: string): Node => {
    return { op: 'Relu', domain: '', name, inputs: [input], outputs: [name], attributes: {} };
  };
  const nodes = [node('a', 'x'), node('b', 'd'), node('c', 'b'), node('d', 'c')];
  assert.throws(() => topologicalOrder({ ...graph, nodes }), {
    code: 'ONNX_INVALID',
    message: /Relu "[bcd]" needs its own result/,
  });
  const chain = Array.from({ length: 50_000 }, (_, i) => node(`n${i}`, `n${i - 1}`)).reverse();
  assert.equal(topologicalOrder({ ...graph, nodes: chain })[0]?.name, 'n0');
});
