import { Scorer } from '../logits/scorer.ts';
import type { Session } from '../ports.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';
import { STUDENT_LOGITS } from './student-names.ts';

/** Logits of a student's session, trained or shipped: plain scores, fed as its teacher is where it has further inputs. */
export const studentScorer = (
  session: Session,
  { scores, constants }: TeacherPlan,
  input: TeacherPlan['input'],
): Scorer =>
  new Scorer(session, {
    batch: null,
    input,
    constants: constants.filter(({ name }) => session.inputs.some((own) => own.name === name)),
    scores: { name: STUDENT_LOGITS, classes: scores.classes, kind: 'logits' },
  });
