import { invariant, RetortError } from '../../errors.ts';
import { needsOf } from '../program/build-program.ts';
import { JOB_TEACHER, type Phase } from './phase.ts';
import { readsInside } from './terms.ts';

/** The phases of a strategy, found to hang together: what later code relies on. Returns them. */
export function checkPhases(strategy: string, phases: readonly Phase[]): readonly Phase[] {
  const before = new Map<string, Phase>();
  for (const phase of phases) {
    const where = `the phase "${phase.name}" of "${strategy}"`;
    invariant(phase.name !== JOB_TEACHER && !before.has(phase.name), `${where} has no name of its own`);
    invariant(phase.share > 0 && phase.terms.length > 0, `${where} has nothing to do`);
    if (phase.from !== undefined) {
      const source = before.get(phase.from);
      invariant(source, `${where} goes on from "${phase.from}", which is not behind it`);
      const same = JSON.stringify(source.student ?? null) === JSON.stringify(phase.student ?? null);
      invariant(same, `${where} goes on from another student`);
      const seamless =
        source.select === 'last' && JSON.stringify(source.terms) === JSON.stringify(phase.terms);
      invariant(
        !phase.continues || seamless,
        `${where} continues what does not end in its last step, or alike`,
      );
    }
    for (const [teacher, weight] of Object.entries(phase.teachers ?? {})) {
      invariant(weight > 0, `${where} has a teacher of weight ${weight}`);
      invariant(
        teacher === JOB_TEACHER || before.has(teacher),
        `${where} has a teacher that is not behind it`,
      );
    }
    for (const { loss, temperature, schedule } of phase.terms) {
      if (schedule?.temperature && schedule.reversal) refuseLearned(strategy, loss);
      invariant(
        !schedule?.temperature || temperature !== undefined,
        `${where}: ${loss} reads no temperature`,
      );
    }
    refuseInside(phase, strategy);
    before.set(phase.name, phase);
  }
  invariant(!phases.at(-1)?.student?.options, `the last phase of "${strategy}" trains another student`);
  return phases;
}

function refuseLearned(strategy: string, loss: string): never {
  throw new RetortError(
    'SPEC_INVALID',
    `the strategy "${strategy}" sets the temperature of "${loss}", which is to be learned`,
    { hint: 'Give the term a number.' },
  );
}

/** Inner tensors are named for the job's teacher; a student that teaches has others. */
function refuseInside({ name, terms, teachers }: Phase, strategy: string): void {
  const inside = terms.filter(readsInside);
  const others = Object.keys(teachers ?? {}).filter((teacher) => teacher !== JOB_TEACHER);
  if (inside.length === 0 || others.length === 0) return;
  throw new RetortError(
    'SPEC_INVALID',
    `the phase "${name}" of "${strategy}" learns from ${others.join(', ')}, of which only logits are compared; not by: ${inside.map(({ loss }) => loss).join(', ')}`,
    { hint: 'Leave these terms out, or take another strategy.' },
  );
}

/** Whether a phase asks the job's teacher for its logits. */
export const asksJobTeacher = ({ terms, teachers }: Phase): boolean =>
  needsOf(terms).has('teacher-logits') && (teachers === undefined || JOB_TEACHER in teachers);
