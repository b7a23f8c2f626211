import { availableParallelism, tmpdir } from 'node:os';
import type { Config } from '../../config.ts';
import type { DatasetCard } from '../../data/card.ts';
import { defaultLimits } from '../../data/upload.ts';
import type { ModelInspection } from '../../pipeline/teacher/inspect-model.ts';
import type { Sandbox, Validation } from '../../service/ports.ts';
import type { StoreSettings } from '../storage/index.ts';
import { childEnvironment } from './child-environment.ts';
import { ProcessPool } from './process-pool.ts';
import { outcomeValue, type SandboxSubject } from './sandbox-outcome.ts';
import type { SandboxRequest } from './sandbox-request.ts';

export interface SandboxOptions {
  readonly config: StoreSettings &
    Pick<Config, 'RETORT_SANDBOX_SECONDS' | 'RETORT_SANDBOX_DATA_SECONDS' | 'RETORT_SANDBOX_BYTES'>;
  /** Requests at the same time. Default: one for each core. */
  readonly concurrency?: number;
  /** Whether a process waits ready for the next request. Default: yes. */
  readonly spare?: boolean;
  /** Where the processes have their working folders. Default: the system's folder for temporary files. */
  readonly scratch?: string;
  /** What a process runs; for tests. */
  readonly entry?: URL;
}

const childEntry = new URL('../../../workers/sandbox-child.ts', import.meta.url);

/** Opens untrusted files in processes that live for one request (see DisposableProcess). */
export class ProcessSandbox implements Sandbox {
  readonly #pool: ProcessPool;
  readonly #config: SandboxOptions['config'];

  constructor({
    config,
    concurrency = availableParallelism(),
    spare = true,
    scratch,
    entry,
  }: SandboxOptions) {
    const { RETORT_SANDBOX_SECONDS: short, RETORT_SANDBOX_DATA_SECONDS: long } = config;
    this.#config = config;
    this.#pool = new ProcessPool({
      entry: entry ?? childEntry,
      environment: childEnvironment(config),
      scratch: scratch ?? tmpdir(),
      concurrency,
      spare,
      ceilings: {
        // Nobody can use more within the time by the clock: this is for processes whose parent is gone.
        cpuSeconds: Math.max(short, long) * availableParallelism(),
        fileBytes: defaultLimits.totalBytes,
        heapBytes: config.RETORT_SANDBOX_BYTES,
      },
    });
  }

  inspectModel({ signal, ...request }: Parameters<Sandbox['inspectModel']>[0]): Promise<ModelInspection> {
    return this.#ask({ kind: 'inspect-model', ...request }, 'model', signal);
  }

  inspectDataset({ signal, ...request }: Parameters<Sandbox['inspectDataset']>[0]): Promise<DatasetCard> {
    return this.#ask({ kind: 'inspect-dataset', ...request }, 'dataset', signal);
  }

  validate({ signal, ...request }: Parameters<Sandbox['validate']>[0]): Promise<Validation> {
    return this.#ask({ kind: 'validate', ...request }, 'job', signal);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #ask<T>(request: SandboxRequest, subject: SandboxSubject, signal?: AbortSignal): Promise<T> {
    const { RETORT_SANDBOX_SECONDS, RETORT_SANDBOX_DATA_SECONDS, RETORT_SANDBOX_BYTES } = this.#config;
    const limits = {
      seconds: subject === 'model' ? RETORT_SANDBOX_SECONDS : RETORT_SANDBOX_DATA_SECONDS,
      memoryBytes: RETORT_SANDBOX_BYTES,
      ...(signal ? { signal } : {}),
    };
    return outcomeValue(await this.#pool.run(request, limits), subject, limits) as T;
  }
}
