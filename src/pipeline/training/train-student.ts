import type { Model } from '../../core/onnx/model.ts';
import type { Snapshot } from '../../core/program/kernel.ts';
import { decodeSnapshot } from '../../core/program/safetensors.ts';
import type { Phase } from '../../core/strategies/phase.ts';
import type { BatchMaker } from '../../data/batch.ts';
import { invariant } from '../../errors.ts';
import { phaseStudent } from '../../spec/phase-student.ts';
import { refuseLostKernel } from '../choice/refuse-lost-kernel.ts';
import { openFeatures } from '../layers/open-features.ts';
import { loadLogits } from '../logits/logits-store.ts';
import type { Results, Trained } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { aboutStudent } from '../student/about-student.ts';
import { buildStudent } from '../student/build-student.ts';
import { withSnapshot } from '../student/trained-model.ts';
import { uploadedStudent } from '../student/uploaded-student.ts';
import { validateStudent } from '../student/validate-student.ts';
import { BatchesBeside } from './batches-beside.ts';
import { joinPhases } from './join-phases.ts';
import { openRows, type Rows } from './open-rows.ts';
import { phaseTeacher } from './phase-teacher.ts';
import { type PlacedPhase, placePhases } from './place-phases.ts';
import { planTraining } from './plan-training.ts';
import type { StudentRun } from './student-run.ts';
import { type TrainedPhase, trainingRun } from './training-run.ts';
import { validationRows } from './validation-rows.ts';

/** The untrained student of a job, or of a phase that trains another. */
export async function studentOf(
  done: Pick<Results, 'ingest' | 'inspect' | 'qualify'>,
  { spec, blobs }: Pick<StageContext, 'spec' | 'blobs'>,
  rows: Rows,
  phase?: Pick<Phase, 'name' | 'student'>,
): Promise<Model> {
  const choice = phase ? phaseStudent(phase, spec.student) : spec.student;
  const models = new Map<string, Model>();
  if (choice.kind === 'model') {
    const model = await uploadedStudent(choice.file, done.ingest.companions, blobs);
    if (model) models.set(choice.file, model);
  }
  const request = {
    models,
    choice,
    input: rows.input,
    range: done.qualify.inputRange,
    feeding: done.inspect.plan,
    classes: done.inspect.plan.scores.classes,
    statistics: done.qualify.inputStatistics,
    seed: (spec.seed + (phase?.student?.seed ?? 0)) >>> 0,
  };
  const build = async (): Promise<Model> => buildStudent(request);
  return aboutStudent(phase ?? spec.phases.at(-1)!, spec, build);
}

/** A run between two of its phases, or in one, as JSON. */
interface Progress {
  readonly finished: readonly TrainedPhase[];
  /** Of the phase in work, where it has saved any. */
  readonly current?: unknown;
}

/** Trains the student in its phases, one after the other; an interrupted run goes on within the phase it was in. */
export async function trainStudent(
  run: StudentRun,
  done: Results,
  jobContext: StageContext,
): Promise<Trained> {
  await refuseLostKernel(jobContext);
  const rows = await openRows(done, jobContext);
  const context = { ...jobContext, spec: { ...jobContext.spec, seed: run.seed } };
  try {
    const phases = placePhases(run.phases, context.spec.train, rows.dataset.splits.train.length);
    const total = phases.reduce((sum, { steps }) => sum + steps, 0);
    const saved = await context.partial.load<Progress>();
    const finished = [...(saved?.finished ?? [])];
    for (const phase of phases.slice(finished.length)) {
      const current = phase.index === saved?.finished.length ? saved.current : undefined;
      const within: StageContext = {
        ...context,
        partial: {
          load: async <T>() => current as T | undefined,
          save: (value) => context.partial.save({ finished, current: value } satisfies Progress),
        },
        progress: (steps) =>
          context.progress(phase.before + steps, total, phases.length > 1 ? phase.name : undefined),
      };
      finished.push(await trainPhase(run, phase, phases, finished, rows, done, within));
      await context.partial.save({ finished } satisfies Progress);
    }
    return await joinPhases(finished, context.blobs);
  } finally {
    await rows.dataset.close();
  }
}

async function trainPhase(
  run: StudentRun,
  phase: PlacedPhase,
  phases: readonly PlacedPhase[],
  finished: readonly TrainedPhase[],
  rows: Rows,
  done: Results,
  context: StageContext,
): Promise<TrainedPhase> {
  const { blobs, spec } = context;
  const snapshotOf = async (name: string): Promise<Snapshot> => {
    const earlier = finished.find((each) => each.name === name);
    invariant(earlier, `the phase "${name}" has not been trained`);
    return decodeSnapshot(await blobs.get(earlier.snapshot.hash));
  };
  /** The student an earlier phase has made. */
  const trainedBy = async (name: string): Promise<Model> => {
    const earlier = phases.find((each) => each.name === name);
    const untrained = await studentOf(done, context, rows, earlier);
    return withSnapshot(untrained, await snapshotOf(name), spec.train.ema !== undefined);
  };
  const student = await (phase.from === undefined
    ? studentOf(done, context, rows, phase)
    : trainedBy(phase.from));
  const teacher = phaseTeacher(phase, trainedBy, rows, done, context);
  const features = await openFeatures(phase.terms, { student, rows }, done, context);
  try {
    const request = {
      ...run,
      phase,
      student,
      rows,
      teacher: teacher.logits,
      beside: (maker: BatchMaker, count: number) => new BatchesBeside(maker, count, rows, done, context),
      ...(features ? { features } : {}),
    };
    const plan = planTraining(request, done, context);
    const seen = validationRows(rows.dataset);
    const teacherLogits = await loadLogits(blobs, done.teach.validation);
    const set = { student, rows, seen, teacherLogits };
    return await trainingRun(
      {
        ...plan,
        ...(phase.continues ? { continued: await snapshotOf(phase.from!) } : {}),
        stepsBefore: finished.reduce((sum, { steps }) => sum + steps, 0),
        validate: (snapshot) => validateStudent(snapshot, set, done, context),
      },
      context,
    ).finally(() => plan.batches.close?.());
  } finally {
    await features?.close();
    await teacher.close();
  }
}
