import type { IncomingMessage } from 'node:http';

/** What is read of a body that nobody wants, and how long that may take, milliseconds. */
const BYTES = 2 ** 20;
const TIME = 500;

/**
 * Reads away what is left of a short body before an error is answered. A connection that is closed while its client
 * still writes is reset, and many clients then never see the answer. Long bodies are not waited for.
 */
export async function drainBody(raw: IncomingMessage): Promise<void> {
  if (raw.complete || raw.destroyed) return;
  raw.unpipe();
  await new Promise<void>((resolve) => {
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > BYTES) done();
    };
    const timer = setTimeout(done, TIME);
    function done(): void {
      clearTimeout(timer);
      raw.off('data', onData).off('end', done).off('close', done).off('error', done);
      raw.pause();
      resolve();
    }
    raw.on('data', onData).once('end', done).once('close', done).once('error', done);
    raw.resume();
  });
}
