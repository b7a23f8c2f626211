import type { DatasetCard } from '../data/card.ts';
import type { PartsOrder } from '../pipeline/offer.ts';
import type { Artifact, StageName } from '../pipeline/stage.ts';
import type { ModelInspection } from '../pipeline/teacher/inspect-model.ts';
import type { Spec } from '../spec/spec.ts';
import type { JobInputs } from './jobs/job.ts';

/** What the service asks of the outside, besides the stores of the pipeline. Adapters implement these. */

/** One entry of the queue: the n-th dispatch of a job. */
export interface Dispatch {
  readonly id: string;
  readonly dispatch: number;
  readonly priority: 'low' | 'normal' | 'high';
  /** What the spec asks for; `auto` goes to a CUDA worker where one is alive. */
  readonly device: 'auto' | 'cpu' | 'cuda';
}

/** An entry of the queue that belongs to another one: parts of a stage that a job waits for (docs/adr/0007). */
export interface PartGroup {
  readonly id: string;
  readonly dispatch: number;
  /** The attempt that asked for them. */
  readonly attempt: number;
  /** Position among the groups of that attempt. */
  readonly group: number;
  readonly stage: StageName;
  readonly order: PartsOrder;
}

/** Hands jobs to workers. It holds nothing that the JobStore does not: it can be emptied and filled again. */
export interface Dispatcher {
  /** Adding the same dispatch again changes nothing. QUEUE_UNAVAILABLE where the queue cannot be reached. */
  add(dispatch: Dispatch, delayMs?: number): Promise<void>;
  /** The device in whose queue that dispatch waits, for a worker or for its groups, or is being worked on. */
  where(dispatch: Pick<Dispatch, 'id' | 'dispatch'>): Promise<'cpu' | 'cuda' | undefined>;
  /** Takes a waiting dispatch out, with the groups it waits for; what is being worked on stays. */
  remove(dispatch: Pick<Dispatch, 'id' | 'dispatch'>): Promise<void>;
  /** How many entries wait and how many are worked on, in all or for one device. */
  counts(device?: 'cpu' | 'cuda'): Promise<{ readonly waiting: number; readonly active: number }>;
  /** Workers that have shown themselves within the last seconds. */
  workers(): Promise<readonly WorkerPresence[]>;
  close(): Promise<void>;
}

export interface WorkerPresence {
  /** host:pid. */
  readonly name: string;
  readonly slots: Readonly<Partial<Record<'cpu' | 'cuda', number>>>;
}

/** Wakes readers. Never fails; messages may be lost: whoever waits reads the store now and then as well. */
export interface Notifier {
  /** `changed`: the record or the events of a job; `control`: someone asked it to stop. */
  publish(topic: 'changed' | 'control', id: string): Promise<void>;
  /** Returns how to stop listening. */
  subscribe(topic: 'changed' | 'control', listener: (id: string) => void): () => void;
  close(): Promise<void>;
}

/** Opens untrusted files in a disposable process with limits on time, CPU and memory; throws what it threw. */
export interface Sandbox {
  inspectModel(request: {
    readonly model: Artifact;
    readonly companions: readonly Artifact[];
    readonly signal?: AbortSignal;
  }): Promise<ModelInspection>;
  inspectDataset(request: {
    readonly data: readonly Artifact[];
    readonly format?: string;
    readonly signal?: AbortSignal;
  }): Promise<DatasetCard>;
  /** Everything but the training: what a job with these inputs would meet, and what it would cost. */
  validate(request: {
    readonly inputs: JobInputs;
    readonly spec: Spec;
    readonly signal?: AbortSignal;
  }): Promise<Validation>;
  close(): Promise<void>;
}

export interface Validation {
  readonly model: ModelInspection;
  readonly dataset: DatasetCard;
  /** What will be trained. */
  readonly student: { readonly parameters: number; readonly macs: number | null; readonly bytes: number };
  readonly warnings: readonly string[];
  readonly estimate: {
    /** Seconds of each stage that takes any, from paces measured here. */
    readonly seconds: Readonly<Record<'decode' | 'teach' | 'choose' | 'control' | 'train' | 'total', number>>;
    /** Largest resident memory of the process, bytes. */
    readonly memoryBytes: number;
  };
}
