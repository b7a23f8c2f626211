// One run, in a process of its own, so that its memory is its own. Gets a RunRequest as its first message, tells what
// happens, and goes on where an earlier one was stopped: all work is kept in the store.
// usage: fork(run-child.ts)
import { basename, dirname } from 'node:path';
import { fileSource } from '../../src/adapters/files/file-source.ts';
import { localFacilities, localTools } from '../../src/adapters/local-tools.ts';
import { fsStores } from '../../src/adapters/storage/fs-stores.ts';
import { writeWhole } from '../../src/cli/distill/write-whole.ts';
import { RetortError } from '../../src/errors.ts';
import type { Report } from '../../src/pipeline/report/report.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { parseSpec } from '../../src/spec/parse-spec.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';

export interface RunRequest {
  readonly spec: object;
  readonly teacher: string;
  readonly companions: readonly { readonly name: string; readonly path: string }[];
  readonly data: readonly string[];
  readonly store: string;
  /** Only what all methods share: up to the teacher's logits and the kernel. */
  readonly onlyPrepare: boolean;
  /** Where the student is put, where it is wanted. */
  readonly out?: string;
}

/** `cpu`: seconds of all threads of this process so far. */
export type RunMessage = { readonly cpu: number } & (
  | { readonly kind: 'stage'; readonly stage: string; readonly state: 'started' | 'skipped' | 'done' }
  | { readonly kind: 'progress'; readonly stage: string; readonly done: number; readonly total: number }
  | { readonly kind: 'done'; readonly report?: Report; readonly peakMiB: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
);

type Said<M> = M extends RunMessage ? Omit<M, 'cpu'> : never;

function say(message: Said<RunMessage>): void {
  const { user, system } = process.cpuUsage();
  // A bench that was killed listens no more; what is to be saved is in the store.
  if (process.connected) process.send!({ ...message, cpu: (user + system) / 1e6 }, () => {});
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort());
process.once('disconnect', () => stop.abort());

async function run({ teacher, companions, data, store, ...request }: RunRequest): Promise<void> {
  const requested = parseSpec(request.spec);
  const tools = localTools(fsStores(store));
  const files = [teacher, ...companions, ...data].map((file) =>
    typeof file === 'string' ? { path: file } : file,
  );
  const sources = await Promise.all(
    files.map((file) => fileSource(file.path, ...('name' in file ? [file.name] : []))),
  );
  const results = await runJourney(
    {
      upload: {
        teacher: sources[0]!,
        companions: sources.slice(1, 1 + companions.length),
        data: sources.slice(1 + companions.length),
      },
      requested,
      spec: resolveSpec(requested, await localFacilities(requested)),
      signal: stop.signal,
      ...(request.onlyPrepare ? { until: 'calibrate' as const } : {}),
      observer: {
        stage: (stage, state) => say({ kind: 'stage', stage, state }),
        progress: (stage, done, total) => say({ kind: 'progress', stage, done, total }),
      },
    },
    tools,
  );
  await Promise.all(sources.map((source) => source.close()));
  if (request.out !== undefined) {
    const { hash } = results.export.student.model;
    await writeWhole(dirname(request.out), basename(request.out), tools.blobs.stream(hash));
  }
  const report = results.publish?.artifacts.find(({ name }) => name === 'report.json');
  const bytes = report && (await tools.blobs.get(report.hash));
  say({
    kind: 'done',
    ...(bytes ? { report: JSON.parse(new TextDecoder().decode(bytes)) as Report } : {}),
    peakMiB: process.resourceUsage().maxRSS / 1024,
  });
}

process.once('message', (request: RunRequest) => {
  run(request)
    .catch((error: unknown) => {
      const code = error instanceof RetortError ? error.code : 'BUG';
      say({ kind: 'failed', code, message: error instanceof Error ? error.message : String(error) });
    })
    .finally(() => process.connected && process.disconnect());
});
