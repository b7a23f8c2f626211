import { buildProgram, needsOf, type ObjectiveTerm } from '../../core/program/build-program.ts';
import { resolvePhases } from '../../spec/resolve-phases.ts';
import type { ResolvedSpec } from '../../spec/resolved-spec.ts';
import { planFeatures } from '../layers/feature-plan.ts';
import { matchLayers } from '../layers/match-layers.ts';
import { findOwnLayers, withOwnLayers } from '../layers/own-layers.ts';
import { weighTerms } from '../layers/weigh-terms.ts';
import type { Results } from '../results.ts';
import type { Stage } from '../stage.ts';
import { classMaps, jobTeachers } from '../teacher/job-teachers.ts';
import { openRows } from '../training/open-rows.ts';
import { openRowsKey } from '../training/train-key.ts';
import { studentOf } from '../training/train-student.ts';

/**
 * Settles what terms on hidden tensors compare: names are looked up in both graphs, `auto` is answered by looking at some
 * rows, and the objective is put together once, so that all refusals come before the teacher is asked; then weights that
 * the spec leaves open. What is measured can come out either way on another machine, so it is settled once and kept in the
 * resolved spec.
 */
export const match: Stage<'match'> = {
  name: 'match',
  summary: 'finds the layers to compare, and weights',
  version: 3,
  key(done, { spec }) {
    const { terms } = spec.objective;
    if (!isOpen(terms)) return { terms: null };
    const { batchSize, device, teacherDevice, kernel, labelSmoothing } = spec.train;
    const { student, seed, strategy } = spec;
    return {
      ...openRowsKey(done, spec),
      teacher: done.inspect.plan,
      student,
      strategy,
      seed,
      terms,
      batchSize,
      device,
      teacherDevice,
      ...(terms.some(({ weighing }) => weighing === 'auto')
        ? { kernel, labelSmoothing, taught: taughtBy(done, spec) }
        : {}),
    };
  },
  async run(done, context) {
    const { spec, blobs } = context;
    if (!isOpen(spec.objective.terms)) return { terms: null };
    const rows = await openRows(done, context);
    try {
      const student = await studentOf(done, context, rows);
      const named = findOwnLayers(await matchLayers({ student, rows }, done, context), student, rows);
      const { plan } = done.inspect;
      const { batchSize, optimizer } = spec.train;
      for (const phase of resolvePhases(spec.strategy, named, spec.student)) {
        const trained = await studentOf(done, context, rows, phase);
        const sides = { student: trained, dims: rows.input.dims, plan, blobs };
        const planned = await planFeatures(phase.terms, sides);
        const terms = withOwnLayers(planned?.terms ?? phase.terms, trained);
        buildProgram({ student: trained, terms, taps: planned?.taps ?? [], batchSize, optimizer });
      }
      return { terms: await weighTerms(named, { student, rows }, done, context) };
    } finally {
      await rows.dataset.close();
    }
  },
  settle({ match: { terms } }, spec) {
    if (terms === null) return spec;
    const phases = resolvePhases(spec.strategy, terms.map(bare), spec.student);
    return { ...spec, objective: { ...spec.objective, terms }, phases };
  },
};

/** Who stands for the teacher where several do: the term of their mean is weighed. */
const taughtBy = (done: Results, spec: ResolvedSpec) =>
  spec.ensemble && {
    ensemble: spec.ensemble,
    teachers: jobTeachers(done, spec),
    maps: classMaps(done.qualify),
    data: spec.data.validation,
  };

const isOpen = (terms: readonly ObjectiveTerm[]): boolean =>
  (['features', 'layers'] as const).some((need) => needsOf(terms).has(need)) ||
  terms.some(({ weighing }) => typeof weighing === 'string');

/** Without what has only led to it: a term is trained the same, whoever chose its layers and its weight. */
const bare = ({ likeness: _likeness, weighing: _weighing, ...term }: ObjectiveTerm): ObjectiveTerm => term;
