import { buildProgram, needsOf } from '../../core/program/build-program.ts';
import { resolvePhases } from '../../spec/resolve-phases.ts';
import { planFeatures } from '../feature-plan.ts';
import { matchLayers } from '../match-layers.ts';
import { openRows } from '../open-rows.ts';
import type { Stage } from '../stage.ts';
import { openRowsKey } from '../train-key.ts';
import { studentOf } from '../train-student.ts';

/**
 * Settles what terms on hidden tensors compare: names are looked up in both graphs, `auto` is answered by looking at some
 * rows, and the objective is put together once, so that all refusals come before the teacher is asked. A likeness that is
 * measured can come out either way on another machine, so the choice is made once and kept in the resolved spec.
 */
export const match: Stage<'match'> = {
  name: 'match',
  summary: 'finds the layers to compare',
  version: 1,
  key(done, { spec }) {
    const { terms } = spec.objective;
    if (!needsOf(terms).has('features')) return { terms: null };
    const { batchSize, device } = spec.train;
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
    };
  },
  async run(done, context) {
    const { spec, blobs } = context;
    if (!needsOf(spec.objective.terms).has('features')) return { terms: null, found: [] };
    const rows = await openRows(done, context);
    try {
      const student = await studentOf(done, context, rows);
      const { terms, found } = await matchLayers({ student, rows }, done, context);
      const { plan } = done.inspect;
      const { batchSize, optimizer } = spec.train;
      for (const phase of resolvePhases(spec.strategy, terms, spec.student)) {
        const trained = await studentOf(done, context, rows, phase);
        const sides = { student: trained, dims: rows.input.dims, plan, blobs };
        const planned = await planFeatures(phase.terms, sides);
        if (planned) buildProgram({ student: trained, ...planned, batchSize, optimizer });
      }
      return { terms, found };
    } finally {
      await rows.dataset.close();
    }
  },
  settle({ match: { terms } }, spec) {
    if (terms === null) return spec;
    const phases = resolvePhases(spec.strategy, terms, spec.student);
    return { ...spec, objective: { ...spec.objective, terms }, phases };
  },
};
