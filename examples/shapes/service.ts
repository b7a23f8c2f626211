import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../bin/retort.js', import.meta.url));

export interface RunningService {
  readonly url: string;
  /** Stops API, worker and the private Redis, and waits until all have ended. */
  stop(): Promise<void>;
}

/** Starts `retort serve` on a free port with everything it keeps in `folder`; its log goes to `<folder>/service.log`. */
export async function startService(folder: string): Promise<RunningService> {
  const child = spawn(process.execPath, [main, 'serve'], {
    env: { ...process.env, RETORT_DATA: folder, RETORT_PORT: '0', REDIS_URL: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C in the terminal reaches the demo, which stops the service in order.
    detached: true,
  });
  const log = createWriteStream(join(folder, 'service.log'), { flags: 'a' });
  child.stderr.pipe(log);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    url: await listening(child, ended),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The address, from the line that says so; what was printed instead where the service does not start. */
async function listening(child: ChildProcess, ended: Promise<void>): Promise<string> {
  const lines: string[] = [];
  child.stderr!.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
  const url = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const found = /^listening on (http:\S+)$/.exec(line);
      if (found) resolve(found[1]!);
    });
  });
  const failed = ended.then(() => {
    throw new Error(`the service did not start:\n${lines.join('')}`);
  });
  return Promise.race([url, failed]);
}
