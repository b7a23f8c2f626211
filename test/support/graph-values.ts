import assert from 'node:assert/strict';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';

/** Float32 values of a graph by name. */
export type Values = ReadonlyMap<string, Float32Array>;

/** A graph that can be run again and again for some of its values. */
export interface OpenValues {
  run(values: Values): Promise<Values>;
  close(): Promise<void>;
}

/** Opens the graph built so far with these values as outputs (through Identity, since an output may be an input). */
export async function openValues(b: GraphBuilder, outputs: readonly string[]): Promise<OpenValues> {
  const wanted = [...new Set(outputs)];
  const copy = GraphBuilder.from(b.build());
  for (const [i, output] of wanted.entries()) {
    copy.output(copy.op('Identity', [output], {}, { outputs: [`result_${i}`] }));
  }
  const session = await onnxruntime.open(encodeModel(copy.model()), { device: 'cpu', threads: 1 });
  return {
    async run(values) {
      const feeds = session.inputs.map(({ name }) => {
        const data = values.get(name);
        assert.ok(data, `no value for input ${name}`);
        return [name, { dtype: 'float32' as const, dims: b.dims(name), data }];
      });
      const results = await session.run(Object.fromEntries(feeds));
      return new Map(wanted.map((name, i) => [name, results[`result_${i}`]!.data as Float32Array]));
    },
    close: () => session.close(),
  };
}

/** These values, once. */
export async function evaluate(b: GraphBuilder, outputs: readonly string[], values: Values): Promise<Values> {
  const graph = await openValues(b, outputs);
  try {
    return await graph.run(values);
  } finally {
    await graph.close();
  }
}
