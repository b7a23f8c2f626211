import { RetortError } from '../errors.ts';
import type { ResolvedSpec } from '../spec/resolved-spec.ts';
import type { Spec } from '../spec/spec.ts';
import { cancelled } from './cancelled.ts';
import { journey } from './journey.ts';
import type { PartsOrder } from './offer.ts';
import { recordHash, recordId } from './recorded.ts';
import type { Results } from './results.ts';
import type { OfferedWork, Stage, StageContext, StageName, Tools, Upload } from './stage.ts';
import { StageRecord } from './stage-record.ts';
import type { Timing } from './timing.ts';

export interface JourneyRequest {
  readonly upload: Upload;
  readonly requested: Spec;
  readonly spec: ResolvedSpec;
  readonly signal: AbortSignal;
  /** The last stage to run; default: all. The results hold nothing of those behind it. */
  readonly until?: StageName;
  /** Of the last stage only these parts are made, for another process that runs it; those before must be finished. */
  readonly parts?: PartsOrder;
  /** Told of everything as it happens; may not throw. */
  readonly observer?: Observer;
  /** Keeps what happens, in order; a stage goes on when it is kept. */
  readonly record?: (type: string, data: unknown) => Promise<void>;
  /** Keeps the spec once a stage has settled what was left open in it; the next stage begins when it is kept. */
  readonly settled?: (spec: ResolvedSpec) => Promise<void>;
}

export interface Observer {
  stage?(name: string, state: 'started' | 'skipped' | 'done', milliseconds: number): void;
  progress?(name: string, done: number, total: number, note?: string): void;
  offer?(stage: StageName, key: string, left: OfferedWork): void;
}

/** Runs the stages in order; finished ones are skipped by key, an interrupted one goes on from its partial work. */
export async function runJourney(request: JourneyRequest, tools: Tools): Promise<Results> {
  const timings: Timing[] = [];
  // Filled in stage by stage; a stage reads only what stands before it.
  const results = { timings } as unknown as Results;
  let { spec } = request;
  for (const stage of journey) {
    if (request.signal.aborted) throw cancelled(stage.name);
    timings.push(await runStage(stage, results, { ...request, spec }, tools));
    if (stage.settle) {
      const settled = stage.settle(results, spec);
      if (settled !== spec) await request.settled?.(settled);
      spec = settled;
    }
    if (stage.name === request.until) break;
  }
  return results;
}

async function runStage(
  stage: Stage,
  results: Results,
  request: JourneyRequest,
  tools: Tools,
): Promise<Timing> {
  const { observer, parts } = request;
  const started = tools.clock.now();
  const emit = async (type: string, data: unknown): Promise<void> => {
    await request.record?.(type, data);
  };
  const bare = contextOf(stage, request, tools, emit);
  const { name, version } = stage;
  const key =
    stage.key && recordHash({ name, version, key: await stage.key(results, bare) }, tools.runtime.version);
  const record = key === undefined ? undefined : await StageRecord.open(tools.jobs, recordId(name, key));
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
  const context: StageContext =
    key === undefined || !record
      ? bare
      : {
          ...bare,
          key,
          partial: record,
          offer: (left) => observer?.offer?.(stage.name, key, left),
        };
  if (parts && stage.key) {
    refuseOther(stage, request, context);
    await stage.makeParts?.(parts.parts, results, context);
    return end('done');
  }
  observer?.stage?.(stage.name, 'started', 0);
  await emit('stage', { name: stage.name, state: 'started', key });
  const made = await stage.run(results, context);
  const output = record ? await record.finish(made) : made;
  Object.assign(results, { [stage.name]: output });
  return end('done');
}

const noPartial = { load: async () => undefined, save: async () => {} };

/** What a stage without a record may use. */
function contextOf(
  stage: Stage,
  { upload, requested, spec, signal, observer }: JourneyRequest,
  tools: Tools,
  emit: StageContext['emit'],
): StageContext {
  const progress: StageContext['progress'] = (done, total, note) =>
    observer?.progress?.(stage.name, done, total, note);
  return { ...tools, upload, requested, spec, signal, emit, progress, partial: noPartial };
}

/** Work under another key would be of no use to the one that asked for it. */
function refuseOther(stage: Stage, { until, parts }: JourneyRequest, { key }: StageContext): void {
  if (stage.name === until && key === parts?.key) return;
  throw new RetortError('RUNTIME_UNAVAILABLE', `parts of "${until}" were asked for that do not exist here`, {
    hint: 'Workers that share jobs need the same version of Retort and of its runtime.',
    facts: { stage: stage.name },
  });
}
