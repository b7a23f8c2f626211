import { nearest } from '../core/nearest.ts';
import { RetortError } from '../errors.ts';
import { phaseStudent } from '../spec/phase-student.ts';
import type { ResolvedSpec } from '../spec/resolved-spec.ts';
import type { Results } from './results.ts';

/** A model that the spec names besides the job's teacher. */
export interface NamedFile {
  readonly file: string;
  readonly role: 'further teacher' | 'student';
  /** Where the spec names it. */
  readonly place: string;
}

/** The models a spec names, each once: further teachers, then students. */
export function namedFiles({ ensemble, strategy, student, phases }: ResolvedSpec): readonly NamedFile[] {
  const place = `/strategy (${strategy.name})`;
  const others = ensemble?.others ?? [];
  const teachers = others.map(({ file }): NamedFile => ({ file, role: 'further teacher', place }));
  const inPhases = phases.map((phase) => [phaseStudent(phase, student), place] as const);
  const students = [[student, '/student/model'] as const, ...inPhases].flatMap(([choice, at]): NamedFile[] =>
    choice.kind === 'model' ? [{ file: choice.file, role: 'student', place: at }] : [],
  );
  const all = [...teachers, ...students];
  return all.filter(({ file }, i) => all.findIndex((each) => each.file === file) === i);
}

/** SPEC_INVALID for a model that the spec names and that did not come; meant is one that came and that it does not name. */
export function refuseNotSent(named: readonly NamedFile[], { teacher, companions }: Results['ingest']): void {
  const sent = companions.map(({ name }) => name);
  const missing = named.find(({ file }) => !sent.includes(file));
  if (!missing) return;
  const { file, role, place } = missing;
  const isOwn = role === 'further teacher' && file === teacher.name;
  const free = sent.filter((name) => named.every((each) => each.file !== name));
  const last = file.split(/[\\/]/).at(-1)!;
  const meant = free.includes(last) ? last : nearest(file, free);
  const send =
    last === file
      ? `Send it along (--with ${file}, or a part of that name).`
      : `Send it along and call it "${last}" there: files go by the last part of their path.`;
  const came = sent.length > 0 ? ` With the job came ${sent.slice(0, 20).join(', ')}.` : '';
  throw new RetortError('SPEC_INVALID', `${place}: no file "${file}" came with the job`, {
    hint: isOwn
      ? "It is the job's own teacher, which counts anyway: leave it out there."
      : `${meant ? `Did you mean "${meant}"?` : send}${came}`,
  });
}
