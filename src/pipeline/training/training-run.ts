import type { NDArray } from '../../core/ndarray.ts';
import type { TeacherTap } from '../../core/program/feature-inputs.ts';
import type { Snapshot, TrainingKernel } from '../../core/program/kernel.ts';
import type { Program } from '../../core/program/program.ts';
import { decodeSnapshot, encodeSnapshot } from '../../core/program/safetensors.ts';
import { RetortError } from '../../errors.ts';
import type { ResolvedTrain } from '../../spec/resolved-spec.ts';
import { cancelled } from '../cancelled.ts';
import type { BlobRef } from '../ports.ts';
import type { StageContext } from '../stage.ts';
import type { PlacedPhase } from './place-phases.ts';
import { type StepTimes, trainChunk } from './train-chunk.ts';

/** The data of a phase, step by step. */
export interface BatchSource {
  readonly stepsPerEpoch: number;
  /** Batch inputs of `steps` consecutive steps, dims [steps, ...dims of the input]. */
  chunk(first: number, steps: number): Promise<Record<string, NDArray>>;
  /** Begins to make the chunk that is asked for next, where that can be done beside a step; whether it does. */
  ahead?(first: number, steps: number): boolean;
  close?(): Promise<void>;
}

/** One phase of a run. */
export interface TrainingRun {
  /** The stage it runs in, for messages. */
  readonly name: string;
  readonly phase: Pick<PlacedPhase, 'name' | 'terms' | 'steps' | 'start' | 'schedule' | 'before'>;
  /** Steps that the phases in front of it have made; the log counts on from there. */
  readonly stepsBefore: number;
  readonly program: Program;
  readonly kernel: TrainingKernel;
  readonly settings: ResolvedTrain;
  readonly seed: number;
  /** Of the phase that this one continues, where it continues one. */
  readonly continued?: Snapshot;
  readonly batches: BatchSource;
  /** Tensors of the teacher among what they hold. */
  readonly taps?: readonly TeacherTap[];
  /** Steps between validations: an epoch of the student's run. */
  readonly roundSteps: number;
  /** Figures of a snapshot on the validation rows; `score` decides which is best (higher). */
  validate(snapshot: Snapshot): Promise<Validation>;
}

export interface Validation {
  readonly score: number | null;
  readonly figures: Readonly<Record<string, number | null>>;
}

/** What a finished phase leaves. */
export interface TrainedPhase {
  readonly name: string;
  /** What computed it, with its version. */
  readonly engine: string;
  /** The selected snapshot. */
  readonly snapshot: BlobRef;
  /** Steps behind the selected snapshot, and behind the phase. */
  readonly step: number;
  readonly steps: number;
  /** One JSON line per some steps (means over them) and per round. */
  readonly log: BlobRef;
  readonly validation: Readonly<Record<string, number | null>>;
  /** Of all attempts; records of earlier versions have none. */
  readonly times?: StepTimes;
}

interface Mark {
  readonly step: number;
  readonly snapshot: BlobRef;
  readonly score: number | null;
  readonly figures: Readonly<Record<string, number | null>>;
}

/** A phase between two steps, as JSON: all it needs to go on bit for bit. */
interface Progress {
  readonly step: number;
  readonly snapshot: BlobRef;
  readonly log: BlobRef;
  readonly best: Mark | null;
  readonly last: Mark | null;
  /** Rounds since the best one. */
  readonly stale: number;
  /** Figures of steps that have no line in the log yet. */
  readonly pending: Readonly<Record<string, readonly number[]>>;
  readonly times?: StepTimes;
}

const CHECKPOINT_MS = 60_000;
/** About how many lines the log of a whole phase has, besides one per round. */
const LOG_LINES = 1000;

/** Trains a Program to its end, or to the signal: checkpoints, validation rounds, early stopping, selection. */
export async function trainingRun(run: TrainingRun, context: StageContext): Promise<TrainedPhase> {
  const { blobs, clock, partial, signal } = context;
  const { settings, roundSteps, phase } = run;
  const totalSteps = phase.steps;
  const saved = await partial.load<Progress>();
  const snapshot = saved ? decodeSnapshot(await blobs.get(saved.snapshot.hash)) : run.continued;
  const trainer = await run.kernel.open(run.program, {
    device: settings.device,
    threads: settings.threads,
    seed: run.seed,
    ...(snapshot ? { snapshot } : {}),
  });
  const lines = saved
    ? new TextDecoder()
        .decode(await blobs.get(saved.log.hash))
        .split('\n')
        .filter(Boolean)
    : [];
  let { step, best, last, stale } = saved ?? { step: 0, best: null, last: null, stale: 0 };
  const times = { waited: 0, ran: 0, ...saved?.times };
  const pending = new Map(Object.entries(saved?.pending ?? {}).map(([name, list]) => [name, [...list]]));
  const lineEvery = Math.max(1, Math.round(totalSteps / LOG_LINES));
  const putSnapshot = async (snapshot: Snapshot) => blobs.put(encodeSnapshot(snapshot));
  const putLog = async () => blobs.put(new TextEncoder().encode(lines.map((line) => `${line}\n`).join('')));
  const log = async (figures: object): Promise<void> => {
    const epoch = (phase.start + step) / run.batches.stepsPerEpoch;
    const line = { phase: phase.name, step: run.stepsBefore + step, epoch, ...figures };
    lines.push(JSON.stringify(line));
    await context.emit('metrics', { run: run.name, ...line });
  };
  const checkpoint = async (): Promise<void> => {
    const snapshot = await putSnapshot(await trainer.snapshot());
    const unsaid = Object.fromEntries(pending);
    await partial.save({
      step,
      snapshot,
      log: await putLog(),
      best,
      last,
      stale,
      pending: unsaid,
      times: { ...times },
    } satisfies Progress);
  };

  try {
    let savedAt = clock.now();
    const done = () =>
      step >= totalSteps || (settings.earlyStopping && stale >= settings.earlyStopping.patience);
    const every = settings.checkpointEvery ?? totalSteps;
    const nextMultiple = (of: number, from: number): number =>
      Math.min(totalSteps, (Math.floor(from / of) + 1) * of);
    /** Steps of the chunk at a step: it ends where a round does, or a checkpoint is due. */
    const lengthAt = (from: number): number =>
      Math.min(
        trainer.preferredSteps,
        nextMultiple(roundSteps, from) - from,
        nextMultiple(every, from) - from,
      );
    /** Steps of the next chunk where it is being made already. */
    let ahead: number | undefined;
    while (!done()) {
      if (signal.aborted) {
        await checkpoint();
        throw cancelled(run.name);
      }
      const roundEnd = nextMultiple(roundSteps, step);
      const mark = nextMultiple(every, step);
      const steps = ahead ?? lengthAt(step);
      const prefetch = (): void => {
        const [next, length] = [step + steps, step + steps < totalSteps ? lengthAt(step + steps) : 0];
        ahead = length > 0 && run.batches.ahead?.(phase.start + next, length) ? length : undefined;
      };
      const made = await trainChunk(run, trainer, { first: step, steps, prefetch, clock }).catch((error) => {
        if (signal.aborted && error instanceof RetortError && error.code === 'CANCELLED') return undefined;
        throw error;
      });
      // Stopped before the chunk was run: the loop's head saves and leaves.
      if (!made) continue;
      const { figures } = made;
      times.waited += made.waited;
      times.ran += made.ran;
      // Lines stand at fixed steps, however the run was cut into chunks.
      for (let i = 0; i < steps; i++) {
        for (const [name, values] of Object.entries(figures)) {
          pending.set(name, [...(pending.get(name) ?? []), values[i]!]);
        }
        step++;
        if (step % lineEvery === 0 || step === totalSteps) {
          const means = [...pending].map(([name, list]) => [
            name,
            list.reduce((sum, v) => sum + v, 0) / list.length,
          ]);
          await log(Object.fromEntries(means));
          pending.clear();
        }
      }
      context.progress(step, totalSteps);
      if (step === roundEnd) {
        const snapshot = await trainer.snapshot();
        const { score, figures } = await run.validate(snapshot);
        last = { step, snapshot: await putSnapshot(snapshot), score, figures };
        const better = best === null || (score !== null && score > (best.score ?? Number.NEGATIVE_INFINITY));
        if (better) best = last;
        // A round without a figure says nothing either way.
        if (score !== null) stale = better ? 0 : stale + 1;
        await log({ validation: figures });
      }
      if (step === roundEnd || step === mark || clock.now() - savedAt > CHECKPOINT_MS) {
        await checkpoint();
        savedAt = clock.now();
      }
    }
  } finally {
    await trainer.close();
  }
  // Without a validation figure no epoch is better than another, and the last one knows most.
  const chosen = settings.select === 'best' && best?.score !== null ? best! : last!;
  return {
    name: phase.name,
    engine: trainer.engine,
    snapshot: chosen.snapshot,
    step: chosen.step,
    steps: step,
    log: await putLog(),
    validation: chosen.figures,
    times,
  };
}
