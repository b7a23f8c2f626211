import { isStream, type Part } from './files.ts';
import { randomName } from './random-name.ts';
import type { Body } from './transport.ts';

/** A request body of the type multipart/form-data. */
export interface Multipart {
  readonly body: Body;
  /** Empty where fetch itself names the boundary. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether it can be sent again. */
  readonly repeatable: boolean;
}

/**
 * Fields and files as a form. Of Blobs fetch makes the body itself, with its length, reading them as they are sent; a
 * stream has no length known before, so the body is composed here.
 */
export function multipart(fields: Readonly<Record<string, string>>, parts: readonly Part[]): Multipart {
  if (parts.some(({ file }) => isStream(file.data))) return composed(fields, parts);
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const { field, file } of parts) form.append(field, file.data as Blob, file.name);
  return { body: form, headers: {}, repeatable: true };
}

function composed(fields: Readonly<Record<string, string>>, parts: readonly Part[]): Multipart {
  const boundary = `retort-${randomName()}`;
  const utf8 = new TextEncoder();
  async function* bytes(): AsyncGenerator<Uint8Array, void> {
    for (const [name, value] of Object.entries(fields)) {
      yield utf8.encode(`--${boundary}\r\n${disposition(name)}\r\n\r\n${value}\r\n`);
    }
    for (const { field, file } of parts) {
      const type = 'content-type: application/octet-stream';
      yield utf8.encode(`--${boundary}\r\n${disposition(field, file.name)}\r\n${type}\r\n\r\n`);
      const reader = (isStream(file.data) ? file.data : file.data.stream()).getReader();
      try {
        for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
      } finally {
        await reader.cancel().catch(() => {});
      }
      yield utf8.encode('\r\n');
    }
    yield utf8.encode(`--${boundary}--\r\n`);
  }
  const source = bytes();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await source.next();
        if (done) controller.close();
        else if (value.length > 0) controller.enqueue(value);
        else await this.pull!(controller);
      },
      async cancel() {
        await source.return();
      },
    },
    { highWaterMark: 0 },
  );
  return {
    body,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    repeatable: false,
  };
}

/** Names as the HTML standard writes them: UTF-8, with quotes and line ends in percent. */
function disposition(name: string, file?: string): string {
  const quoted = (text: string): string =>
    `"${text.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22')}"`;
  const filename = file === undefined ? '' : `; filename=${quoted(file)}`;
  return `content-disposition: form-data; name=${quoted(name)}${filename}`;
}
