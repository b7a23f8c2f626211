import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Phase } from '../../src/core/strategies/phase.ts';
import { misplacedAssistants, standings } from '../../src/pipeline/report/assistants.ts';
import type { Report } from '../../src/pipeline/report/report.ts';

const phases = ['assistant-1', 'assistant-2', 'student'].map(
  (name, i): Phase => ({ name, terms: [], share: 1, ...(i < 2 ? { assistant: true } : {}) }),
);

/** Validation accuracies of the teacher and of each phase; the last one is the student's. */
const trainingOf = (teacher: number | null, ...accuracies: (number | null)[]): Report['training'] => {
  const made = accuracies.map((accuracy) => ({ validation: { accuracy }, steps: 1, step: 1 }));
  return {
    teacher: { validation: { accuracy: teacher } },
    student: {
      ...made.at(-1)!,
      parity: 0,
      phases: made.map((figures, i) => ({ name: phases[i]!.name, ...figures })),
    },
  };
};

test('an assistant stands between what taught it and the student, best midway', () => {
  const training = trainingOf(0.9, 0.8, 0.75, 0.7);
  const [first, second] = [...standings(training, phases).values()];
  assert.deepEqual(first, { accuracy: 0.8, above: 0.9, below: 0.7, midway: 0.8 });
  assert.deepEqual(second, { accuracy: 0.75, above: 0.8, below: 0.7, midway: 0.75 });
  assert.deepEqual(misplacedAssistants(training, phases), []);
});

test('an assistant that is no step is warned of, with what may help', () => {
  assert.deepEqual(misplacedAssistants(trainingOf(0.9, 0.92, 0.7, 0.7), phases), [
    'assistant-1 is no step between its teacher and the student: accuracy on validation 92.00 %, of its teacher 90.00 %, of the student 70.00 %; a smaller one would do',
    'assistant-2 is no step between its teacher and the student: accuracy on validation 70.00 %, of its teacher 92.00 %, of the student 70.00 %; a larger one may help',
  ]);
});

test('without labelled validation rows, and of students that are no assistants, nothing is said', () => {
  assert.equal(standings(trainingOf(null, null, null, null), phases).size, 0);
  const plain = phases.map(({ assistant: _, ...phase }) => phase);
  assert.equal(standings(trainingOf(0.9, 0.8, 0.75, 0.7), plain).size, 0);
});
