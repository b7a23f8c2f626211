import type { SseMessage, SseParser } from './sse.ts';

/**
 * Messages of an event stream as they come. A stream that is silent for longer than `idleMs` is taken for dead: servers
 * send a comment now and then, and a proxy that holds everything back is no stream.
 */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
  parser: SseParser,
  idleMs: number,
): AsyncGenerator<SseMessage, void> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { value, done } = await withDeadline(reader.read(), idleMs);
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    // Closes the connection; it may be broken already.
    await reader.cancel().catch(() => {});
  }
}

async function withDeadline<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the event stream was silent for ${milliseconds} ms`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
