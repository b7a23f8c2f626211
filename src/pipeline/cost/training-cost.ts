import { needsOf } from '../../core/program/build-program.ts';
import { JOB_TEACHER } from '../../core/strategies/phase.ts';
import { autoCandidates, shortRound, wholeRound } from '../../spec/auto-candidates.ts';
import { trialSpec } from '../choice/trial-spec.ts';
import type { Results } from '../results.ts';
import type { StageContext } from '../stage.ts';
import { aboutStudent } from '../student/about-student.ts';
import { phasesOf } from '../training/drawn-plan.ts';
import type { Rows } from '../training/open-rows.ts';
import { type PlacedPhase, placePhases } from '../training/place-phases.ts';
import { controlRun } from '../training/student-run.ts';
import { studentOf } from '../training/train-student.ts';
import type { TeachingPace } from './teaching-pace.ts';
import { type TrainingPace, trainingPace } from './training-pace.ts';

/** What training costs, milliseconds. */
export interface TrainingCost {
  /** All phases together, with what it takes to ask the students that teach. */
  readonly train: number;
  /** What it takes to choose the method, where the spec leaves it open; the first training is one of it. */
  readonly choose: number;
  /** The control, where there is one. */
  readonly control: number;
  /** The student in the runtime, per row; a small blob into the store. */
  readonly row: number;
  readonly write: number;
}

/** Measures one phase of each kind (the same student, the same losses) and adds up all of them. */
export async function trainingCost(
  teacher: TeachingPace,
  done: Pick<Results, 'ingest' | 'inspect' | 'qualify'>,
  rows: Rows,
  context: StageContext,
): Promise<TrainingCost> {
  const phases = phasesOf(context, rows);
  const paces = new Map<string, TrainingPace>();
  const kindOf = ({ student, terms }: PlacedPhase): string =>
    JSON.stringify([student?.options ?? {}, terms.map(({ loss }) => loss)]);
  for (const phase of phases) {
    if (paces.has(kindOf(phase))) continue;
    const student = await studentOf(done, context, rows, phase);
    const measured = (): Promise<TrainingPace> => trainingPace(student, done, rows, context, phase);
    paces.set(kindOf(phase), await aboutStudent(phase, context.spec, measured));
  }
  const paceOf = (phase: PlacedPhase): TrainingPace => paces.get(kindOf(phase))!;
  const made = ({ open, step, round, roundSteps }: TrainingPace, steps: number): number =>
    open + step * steps + round * Math.ceil(steps / roundSteps);
  /** Students that teach see the training rows once per epoch with new pixels. */
  const taught = ({ steps, teachers }: PlacedPhase): number => {
    const { train } = rows.dataset.splits;
    const last = paceOf(phases.at(-1)!);
    const views = context.spec.train.augment.length > 0 ? Math.ceil(steps / last.roundSteps) : 1;
    const students = phases.filter(({ name }) => name !== JOB_TEACHER && name in (teachers ?? {}));
    return students.reduce((sum, student) => sum + views * train.length * paceOf(student).row, 0);
  };
  /** Where a loss compares hidden tensors, the teacher sees every step's rows again. */
  const beside = ({ terms, steps }: PlacedPhase): number =>
    needsOf(terms).has('features') ? teacher.open + teacher.own * context.spec.train.batchSize * steps : 0;
  const own = paceOf(phases.at(-1)!);
  const [control] = placePhases(
    controlRun(context.spec).phases,
    context.spec.train,
    rows.dataset.splits.train.length,
  );
  /** Candidates differ in losses, which weigh little in a step. */
  const trials = trialsOf(done, context, rows);
  return {
    train: phases.reduce(
      (sum, phase) => sum + made(paceOf(phase), phase.steps) + taught(phase) + beside(phase),
      0,
    ),
    choose: trials.reduce((sum, { steps }) => sum + made(own, steps), 0),
    control: made(own, control!.steps),
    row: own.row,
    write: own.write,
  };
}

/** The trainings of `method: "auto"` in both rounds, as foreseen: no control in the second. */
function trialsOf(
  { inspect, qualify }: Pick<Results, 'inspect' | 'qualify'>,
  { spec }: StageContext,
  rows: Rows,
): readonly PlacedPhase[] {
  if (spec.method !== 'auto') return [];
  const { classes } = inspect.plan.scores;
  const all = autoCandidates({ hasLabels: qualify.labelled > 0, classes });
  const specs = [
    ...shortRound(all).map((candidate) => trialSpec(candidate, 'short', spec)),
    ...wholeRound(all).map((candidate) => trialSpec(candidate, 'whole', spec)),
  ];
  return specs.flatMap(({ phases, train }) => placePhases(phases, train, rows.dataset.splits.train.length));
}
