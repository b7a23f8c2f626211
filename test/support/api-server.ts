import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InlineDispatcher } from '../../src/adapters/queue/inline-dispatcher.ts';
import { LocalNotifier } from '../../src/adapters/queue/local-notifier.ts';
import { FsBlobs } from '../../src/adapters/storage/fs-blobs.ts';
import { FsJobs } from '../../src/adapters/storage/fs-jobs.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import type { Api } from '../../src/api/api.ts';
import { buildApp } from '../../src/api/app.ts';
import type { ApiDeps } from '../../src/api/deps.ts';
import { readConfig } from '../../src/config.ts';
import { RetortError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { JobRecords } from '../../src/service/jobs/job-records.ts';
import type { Sandbox } from '../../src/service/ports.ts';
import { Webhooks } from '../../src/service/webhooks/webhooks.ts';

/** Cards without opening anything: what is looked at here is the API, not the files. */
export const fakeSandbox: Sandbox = {
  async inspectModel({ model }) {
    if (model.bytes < 8) throw new RetortError('ONNX_MALFORMED', 'the bytes are not a model');
    return { card: { fake: true } } as never;
  },
  async inspectDataset({ data }) {
    return { rows: data.length } as never;
  },
  validate: () => Promise.reject(new Error('not part of this test')),
  close: async () => {},
};

export interface TestServer {
  readonly app: Api;
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly blobs: FsBlobs;
  readonly jobs: FsJobs;
  close(): Promise<void>;
}

/** The API over stores on disk, listening on a free port of loopback. */
export async function startServer(
  settings: Readonly<Record<string, string>> = {},
  deps: Partial<ApiDeps> = {},
  extend?: (app: Api, given: ApiDeps) => void | Promise<void>,
): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'retort-api-'));
  const config = readConfig({ RETORT_DATA: folder, RETORT_LOG_LEVEL: 'silent', ...settings });
  const blobs = new FsBlobs(folder);
  const jobs = new FsJobs(folder);
  const clock = systemClock;
  const notifier = new LocalNotifier();
  const given: ApiDeps = {
    config,
    log: createLog(config.RETORT_LOG_LEVEL, 'test'),
    jobs,
    blobs,
    sandbox: fakeSandbox,
    dispatcher: new InlineDispatcher(),
    notifier,
    clock,
    records: new JobRecords({ jobs, notifier, clock }),
    webhooks: new Webhooks({ jobs, clock, allowPrivate: true }),
    freeBytes: async () => 2 ** 40,
    ...deps,
  };
  const app = await buildApp(given);
  await extend?.(app, given);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return {
    app,
    url: `http://127.0.0.1:${port}`,
    port,
    folder,
    blobs,
    jobs,
    async close() {
      await app.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Sends bytes as they are; resolves with all that came back once the server closes the connection. */
export function rawRequest(
  port: number,
  send: (write: (text: string | Uint8Array) => void) => void,
): Promise<{ readonly text: string; readonly milliseconds: number }> {
  const began = performance.now();
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () =>
      send((text) => void (socket.writable && socket.write(text))),
    );
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    // A reset after the answer is how a server ends a body it does not want.
    socket.on('error', () => {});
    socket.on('close', () => resolve({ text, milliseconds: performance.now() - began }));
  });
}
