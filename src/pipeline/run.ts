import type { ResolvedSpec } from '../spec/resolved-spec.ts';
import type { Spec } from '../spec/spec.ts';
import { cancelled } from './cancelled.ts';
import { journey } from './journey.ts';
import type { Results } from './results.ts';
import type { Stage, StageContext, StageName, Tools, Upload } from './stage.ts';
import { hashOf } from './stage-key.ts';
import { StageRecord } from './stage-record.ts';
import type { Timing } from './timing.ts';

export interface JourneyRequest {
  readonly upload: Upload;
  readonly requested: Spec;
  readonly spec: ResolvedSpec;
  readonly signal: AbortSignal;
  /** The last stage to run; default: all. The results hold nothing of those behind it. */
  readonly until?: StageName;
  /** Told of everything as it happens; may not throw. */
  readonly observer?: Observer;
  /** Keeps what happens, in order; a stage goes on when it is kept. */
  readonly record?: (type: string, data: unknown) => Promise<void>;
}

export interface Observer {
  stage?(name: string, state: 'started' | 'skipped' | 'done', milliseconds: number): void;
  progress?(name: string, done: number, total: number, note?: string): void;
}

/** Runs the stages in order; finished ones are skipped by key, an interrupted one goes on from its partial work. */
export async function runJourney(request: JourneyRequest, tools: Tools): Promise<Results> {
  const timings: Timing[] = [];
  // Filled in stage by stage; a stage reads only what stands before it.
  const results = { timings } as unknown as Results;
  for (const stage of journey) {
    if (request.signal.aborted) throw cancelled(stage.name);
    timings.push(await runStage(stage, results, request, tools));
    if (stage.name === request.until) break;
  }
  return results;
}

async function runStage(
  stage: Stage,
  results: Results,
  { upload, requested, spec, signal, observer, record: keep }: JourneyRequest,
  tools: Tools,
): Promise<Timing> {
  const started = tools.clock.now();
  const emit = async (type: string, data: unknown): Promise<void> => {
    await keep?.(type, data);
  };
  const base = { ...tools, upload, requested, spec, signal, emit };
  const progress: StageContext['progress'] = (done, total, note) =>
    observer?.progress?.(stage.name, done, total, note);
  const context = (partial: StageContext['partial']): StageContext => ({ ...base, partial, progress });

  const parts = stage.key?.(results, context(noPartial));
  const key = stage.key && hashOf([stage.name, stage.version, tools.runtime.version, parts]);
  const record =
    key === undefined ? undefined : await StageRecord.open(tools.jobs, `stage/${stage.name}/${key}`);
  const finished = await record?.output(tools.blobs);
  const end = async (state: 'skipped' | 'done'): Promise<Timing> => {
    const milliseconds = tools.clock.now() - started;
    observer?.stage?.(stage.name, state, milliseconds);
    await emit('stage', { name: stage.name, state, key, milliseconds });
    return { stage: stage.name, key, skipped: state === 'skipped', milliseconds };
  };
  if (finished) {
    Object.assign(results, { [stage.name]: finished.value });
    return end('skipped');
  }
  observer?.stage?.(stage.name, 'started', 0);
  await emit('stage', { name: stage.name, state: 'started', key });
  const output = await stage.run(results, context(record ?? noPartial));
  await record?.finish(output);
  Object.assign(results, { [stage.name]: output });
  return end('done');
}

const noPartial = { load: async () => undefined, save: async () => {} };
