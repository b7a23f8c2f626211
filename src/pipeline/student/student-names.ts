/** Names of a trainable student's input and output; the export gives it the teacher's. */
export const STUDENT_INPUT = 'student_input';
export const STUDENT_LOGITS = 'student_logits';
