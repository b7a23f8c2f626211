/** One dispatched message of an event stream. */
export interface SseMessage {
  /** `message` where the stream names none. */
  readonly event: string;
  readonly data: string;
  /** The id this message carries itself; undefined where it has none. */
  readonly id: string | undefined;
}

/** Characters of one message; more is no event stream, or one that would fill the memory. */
const MAX_MESSAGE = 16 * 2 ** 20;

/** Parses text/event-stream (WHATWG HTML 9.2.6) from bytes, wherever they are cut. */
export class SseParser {
  /** Id of the last message that had one. */
  lastEventId = '';
  /** Milliseconds to wait before a reconnect, where the server has said so. */
  retry: number | undefined;
  /** Bytes seen, comments included: a sign of life. */
  bytes = 0;

  // Strips a BOM at the very start, and nowhere else.
  readonly #decoder = new TextDecoder('utf-8');
  #line = '';
  #skipLineFeed = false;
  #event = '';
  #data = '';
  #id: string | undefined;

  /** Messages completed by these bytes. What is incomplete when the stream ends is dropped, as the standard says. */
  push(chunk: Uint8Array): SseMessage[] {
    this.bytes += chunk.length;
    let text = this.#decoder.decode(chunk, { stream: true });
    if (text === '') return [];
    // A CR ends its line at once; the LF of a CRLF may come with the next bytes.
    if (this.#skipLineFeed && text.startsWith('\n')) text = text.slice(1);
    this.#skipLineFeed = text === '' ? false : text.endsWith('\r');
    const lines = text.split(/\r\n|\r|\n/);
    lines[0] = this.#line + lines[0];
    this.#line = lines.pop()!;
    const messages = lines.flatMap((line) => this.#take(line) ?? []);
    if (this.#line.length + this.#data.length > MAX_MESSAGE) {
      throw new Error(`a message of the event stream is longer than ${MAX_MESSAGE} characters`);
    }
    return messages;
  }

  #take(line: string): SseMessage | undefined {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'event') this.#event = value;
    else if (name === 'data') this.#data += `${value}\n`;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
    return undefined;
  }

  #dispatch(): SseMessage | undefined {
    const [event, data, id] = [this.#event, this.#data, this.#id];
    this.#event = this.#data = '';
    this.#id = undefined;
    if (id !== undefined) this.lastEventId = id;
    return data === '' ? undefined : { event: event || 'message', data: data.slice(0, -1), id };
  }
}
