import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SseMessage, SseParser } from '../../../src/client/sse.ts';

const utf8 = new TextEncoder();

function parse(...chunks: readonly Uint8Array[]) {
  const parser = new SseParser();
  const messages: SseMessage[] = chunks.flatMap((chunk) => parser.push(chunk));
  return { messages, retry: parser.retry, lastEventId: parser.lastEventId };
}

const cases: Readonly<Record<string, { text: string; want: SseMessage[]; retry?: number; last?: string }>> = {
  'a message ends with an empty line': {
    text: 'data: one\n\ndata: lost',
    want: [{ event: 'message', data: 'one', id: undefined }],
  },
  'CR, LF and CRLF all end lines': {
    text: 'data: a\r\rdata: b\n\ndata: c\r\n\r\n',
    want: ['a', 'b', 'c'].map((data) => ({ event: 'message', data, id: undefined })),
  },
  'lines of data are joined': {
    text: 'event: log\r\ndata: one\r\ndata:\r\ndata: three\r\n\r\n',
    want: [{ event: 'log', data: 'one\n\nthree', id: undefined }],
  },
  'one space after the colon goes, more stay': {
    text: 'data:none\ndata: one\ndata:  two\n\n',
    want: [{ event: 'message', data: 'none\none\n two', id: undefined }],
  },
  'an id lasts as the last one, but belongs to its own message': {
    text: 'id: 7\ndata: x\n\ndata: y\n\n',
    want: [
      { event: 'message', data: 'x', id: '7' },
      { event: 'message', data: 'y', id: undefined },
    ],
    last: '7',
  },
  'an empty id forgets the last one; one with NUL is ignored': {
    text: 'id: 7\ndata: x\n\nid\ndata: y\n\nid: a\0b\ndata: z\n\n',
    want: [
      { event: 'message', data: 'x', id: '7' },
      { event: 'message', data: 'y', id: '' },
      { event: 'message', data: 'z', id: undefined },
    ],
    last: '',
  },
  'an id without data is kept for a reconnect': { text: 'id: 9\n\n', want: [], last: '9' },
  'comments, unknown fields and messages without data give nothing; empty data is a message': {
    text: ': ping\n\nevent: nothing\n\nfoo: bar\ndata\n\n',
    want: [{ event: 'message', data: '', id: undefined }],
  },
  'retry is digits': { text: 'retry: 1500\nretry: 2s\nretry: -1\n\n', want: [], retry: 1500 },
  'a BOM at the start is not part of the first field; a later one is': {
    text: '\uFEFFdata: é€😀\n\n\uFEFFdata: no field of ours\n\n',
    want: [{ event: 'message', data: 'é€😀', id: undefined }],
  },
};

for (const [title, { text, want, retry, last = '' }] of Object.entries(cases)) {
  test(`event streams: ${title}, wherever the bytes are cut`, () => {
    const bytes = utf8.encode(text);
    const expected = {
      messages: want,
      retry,
      lastEventId: last,
    };
    assert.deepEqual(parse(bytes), expected);
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.deepEqual(parse(bytes.subarray(0, cut), bytes.subarray(cut)), expected, `cut at ${cut}`);
    }
    const single = [...bytes].map((byte) => Uint8Array.of(byte));
    assert.deepEqual(parse(...single), expected, 'byte by byte');
  });
}

test('event streams: a message without an end does not fill the memory', () => {
  const parser = new SseParser();
  const chunk = utf8.encode('x'.repeat(2 ** 20));
  assert.throws(() => {
    for (let i = 0; i < 20; i++) parser.push(chunk);
  }, /longer than/);
});
