import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const MiB = 2 ** 20;
const BOUNDARY = 'retort-bench';
const retort = fileURLToPath(new URL('../bin/retort.js', import.meta.url));

/**
 * One multipart upload of `--mib` MiB into the file store of a service of its own (`retort serve`, another process), with
 * made-up bytes. Prints the pace and the largest resident memory of the API's process, before and after.
 */
export async function upload(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { mib: { type: 'string', default: '2048' } } });
  const bytes = Number(values.mib) * MiB;
  const folder = await mkdtemp(join(tmpdir(), 'retort-upload-'));
  const child = spawn(process.execPath, [retort, 'serve'], {
    env: {
      ...process.env,
      RETORT_DATA: folder,
      RETORT_PORT: '0',
      RETORT_WORKERS: '0',
      RETORT_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await listening(child);
    const before = await peakMiB(child.pid!);
    const started = performance.now();
    const { status, sent } = await post(`${url}/v1/datasets`, bytes);
    const answered = performance.now();
    console.log(
      JSON.stringify({
        name: 'upload',
        mib: bytes / MiB,
        status,
        secondsToSend: (sent - started) / 1000,
        secondsToAnswer: (answered - started) / 1000,
        mibPerSecond: bytes / MiB / ((sent - started) / 1000),
        peakMiBBefore: before,
        peakMiB: await peakMiB(child.pid!),
      }),
    );
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    await rm(folder, { recursive: true, force: true });
  }
}

async function listening(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const [, url] = /^listening on (\S+)/.exec(line) ?? [];
    if (url) return url;
  }
  throw new Error('the service did not start');
}

/** Largest resident memory of a process so far, MiB (Linux). */
async function peakMiB(pid: number): Promise<number> {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

/** Sends bytes that do not repeat; `sent`: when the last of them left this process. */
async function post(url: string, bytes: number): Promise<{ readonly status: number; readonly sent: number }> {
  const head = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="dataset"; filename="data.bin"\r\n\r\n`;
  const tail = `\r\n--${BOUNDARY}--\r\n`;
  const ask = request(url, {
    method: 'POST',
    headers: {
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
      'content-length': head.length + bytes + tail.length,
    },
  });
  const answer = once(ask, 'response');
  ask.write(head);
  const chunk = Buffer.alloc(MiB, 'made up ');
  for (let done = 0; done < bytes; done += MiB) {
    const piece = Buffer.from(chunk);
    piece.writeDoubleLE(done);
    if (!ask.write(piece)) await once(ask, 'drain');
  }
  ask.end(tail);
  await once(ask, 'finish');
  const sent = performance.now();
  const [response] = (await answer) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode!, sent };
}
