import { Scorer } from '../logits/scorer.ts';
import type { Session } from '../ports.ts';
import type { TeacherPlan } from '../teacher/teacher-plan.ts';
import { STUDENT_LOGITS } from './student-names.ts';

/** Logits of a student's session, trained or shipped: its one input is fed from data, its scores are plain. */
export const studentScorer = (
  session: Session,
  { scores }: TeacherPlan,
  input: TeacherPlan['input'],
): Scorer =>
  new Scorer(session, {
    batch: null,
    input,
    constants: [],
    scores: { name: STUDENT_LOGITS, classes: scores.classes, kind: 'logits' },
  });
