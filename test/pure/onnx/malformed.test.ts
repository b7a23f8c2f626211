import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkModel } from '../../../src/core/onnx/check.ts';
import { decodeModel } from '../../../src/core/onnx/decode.ts';
import { encodeModel } from '../../../src/core/onnx/encode.ts';
import { RetortError } from '../../../src/errors.ts';
import { mutations } from '../../support/mutations.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
/** Of this process, so that the limits also hold on a busy machine. */
const cpuMilliseconds = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000;
const repeat = (unit: number[], times: number) => Buffer.alloc(unit.length * times, Buffer.from(unit));

/** A field of wire type 2 around any content. */
function wrap(field: number, content: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let left = content.length; ; left = Math.floor(left / 128)) {
    length.push(left > 127 ? (left % 128) | 128 : left);
    if (left <= 127) break;
  }
  return Buffer.concat([bytes(field * 8 + 2, ...length), content]);
}

function nested(levels: number): Uint8Array {
  let graph: Uint8Array = bytes();
  // GraphProto.node.attribute.g
  for (let i = 0; i < levels; i++) graph = wrap(1, wrap(5, wrap(6, graph)));
  return wrap(7, graph);
}

const broken: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  'nothing at all': [bytes(), /empty/],
  'no graph': [bytes(8, 8), /ModelProto\.graph: missing/],
  'a length beyond the end': [bytes(58, 200, 1), /ModelProto\.graph: runs past the end/],
  'a length of 2^63': [bytes(58, 128, 128, 128, 128, 128, 128, 128, 128, 128, 1), /graph: runs past the end/],
  'a length that ends the file': [bytes(58, 128), /ModelProto\.graph: the message ends inside a number/],
  'a number without end': [repeat([255], 20), /more than 64 bits/],
  'field number 0': [bytes(2, 0), /no field has the tag at byte 0/],
  'a group': [bytes(11, 12), /field 1: wire type 3|ir_version: wire type 3/],
  'a name that is a number': [wrap(7, bytes(16, 1)), /ModelProto\.graph\.name: wire type 0 instead of 2/],
  'a name that is no text': [wrap(7, wrap(1, wrap(4, bytes(255)))), /graph\.node\[0\]\.op_type: not UTF-8/],
  'two graphs': [
    Buffer.concat([wrap(7, bytes()), wrap(7, bytes())]),
    /ModelProto\.graph: given more than once/,
  ],
  'a negative dimension': [
    wrap(7, wrap(5, bytes(8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 16, 1))),
    /initializer\[0\]\.dims: dimension -1/,
  ],
  'half a float': [
    wrap(7, wrap(5, bytes(16, 1, 34, 3, 0, 0, 0))),
    /float_data: its length is no multiple of 4/,
  ],
  'graphs without end': [nested(40), /nested deeper than 100 messages/],
  'a page of HTML': [new TextEncoder().encode('<!doctype html><html></html>'), /ModelProto/],
  'a gzip file': [bytes(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3), /ModelProto/],
};

for (const [name, [file, message]] of Object.entries(broken)) {
  test(`${name} is ONNX_MALFORMED, saying where`, () => {
    assert.throws(() => decodeModel(file), { code: 'ONNX_MALFORMED', message });
  });
}

test('ambiguous and unknown things have their own codes', () => {
  const twice = wrap(
    7,
    Buffer.concat([wrap(5, bytes(16, 1, 66, 1, 119)), wrap(5, bytes(16, 1, 66, 1, 119))]),
  );
  assert.throws(() => decodeModel(twice), {
    code: 'ONNX_INVALID',
    message: /initializer: "w" is defined twice/,
  });
  const typeless = wrap(7, wrap(5, bytes(16, 99)));
  assert.throws(() => decodeModel(typeless), { code: 'ONNX_UNSUPPORTED', message: /no element type 99/ });
  assert.equal(decodeModel(nested(32)).graph.nodes.length, 1);
});

test('files of many empty parts are refused before they fill the memory', () => {
  const bombs = {
    nodes: wrap(7, repeat([10, 0], 4_000_000)),
    attributes: wrap(7, wrap(1, repeat([42, 0], 4_000_000))),
    numbers: wrap(
      7,
      wrap(1, wrap(5, Buffer.concat([bytes(160, 1, 7), wrap(8, new Uint8Array(11_000_000))]))),
    ),
    strings: wrap(7, wrap(5, Buffer.concat([bytes(16, 8), repeat([50, 0], 16_000_000)]))),
    unknown: wrap(7, repeat([0xb8, 0x3e, 0, 18, 0], 4_000_000)),
  };
  for (const [name, file] of Object.entries(bombs)) {
    const before = process.memoryUsage().rss;
    const start = cpuMilliseconds();
    assert.throws(
      () => decodeModel(file),
      { code: 'ONNX_MALFORMED', message: /more parts than any real/ },
      name,
    );
    const took = cpuMilliseconds() - start;
    assert.ok(took < 2000, `${name} took ${took} ms`);
    assert.ok(
      process.memoryUsage().rss - before < 1.5e9,
      `${name} took ${process.memoryUsage().rss - before} bytes`,
    );
  }
});

test('1,000 damaged files: each gives a model or a typed error, in under 2 s and bounded memory', (t) => {
  const { real, make } = mutations();
  if (real === 0) t.diagnostic('no shared fixtures: built models only');
  const outcomes: Record<string, number> = {};
  const before = process.memoryUsage().rss;
  let slowest = 0;
  for (let i = 0; i < 1000; i++) {
    const file = make(i);
    const start = cpuMilliseconds();
    const outcome = open(file, i);
    slowest = Math.max(slowest, cpuMilliseconds() - start);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  t.diagnostic(`${JSON.stringify(outcomes)}, slowest ${slowest.toFixed(0)} ms`);
  assert.ok(slowest < 2000, `${slowest} ms`);
  assert.ok(process.memoryUsage().rss - before < 1e9);
  assert.ok(outcomes.valid! > 50 && outcomes.ONNX_MALFORMED! > 200, JSON.stringify(outcomes));
});

/** What a pipeline does with a file: whatever happens must be a value or a RetortError. */
function open(file: Uint8Array, i: number): string {
  try {
    const model = decodeModel(file);
    const again = decodeModel(encodeModel(model));
    assert.equal(again.graph.nodes.length, model.graph.nodes.length);
    return checkModel(model).length ? 'with problems' : 'valid';
  } catch (error) {
    assert.ok(error instanceof RetortError, `mutation ${i}: ${error}`);
    assert.notEqual(error.code, 'INTERNAL');
    return error.code;
  }
}
