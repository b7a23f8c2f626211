import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildProgram } from '../../src/core/program/build-program.ts';
import { objectiveScalars } from '../../src/core/program/objective-scalars.ts';
import { strategies } from '../../src/core/strategies/index.ts';
import type { Strategy } from '../../src/core/strategies/strategy.ts';
import { students } from '../../src/core/students/index.ts';
import { parseSpec } from '../../src/spec/parse-spec.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';
import type { ResolvedSpec } from '../../src/spec/resolved-spec.ts';

/** What holds for every strategy, at its defaults. */

const here = { available: true };
/** Options without a default. */
const demanded: Readonly<Record<string, object>> = {
  ensemble: { teachers: [{ file: 'second.onnx' }] },
  federated: { clients: [{ file: 'second.onnx' }] },
  progressive: { assistants: [{ hidden: [12] }] },
};

const resolve = (name: string): ResolvedSpec =>
  resolveSpec(
    parseSpec({
      version: 1,
      student: { architecture: 'mlp', hidden: [8] },
      strategy: { name, ...demanded[name] },
    }),
    { kernels: { onnxruntime: here }, devices: { cpu: here } },
  );

for (const [name, entry] of Object.entries(strategies)) {
  const strategy: Strategy = entry;

  test(`${name}: is named by its key, says what it is, and describes every option`, () => {
    assert.equal(strategy.name, name);
    assert.ok(strategy.summary.length > 20);
    for (const [option, schema] of Object.entries(strategy.options.properties)) {
      assert.ok((schema as { description?: string }).description, option);
    }
  });

  test(`${name}: its phases are plain data, the same at every call, and the last trains the job's student`, () => {
    const { phases } = resolve(name);
    assert.deepEqual(JSON.parse(JSON.stringify(phases)), phases);
    assert.deepEqual(resolve(name).phases, phases);
    assert.equal(phases.at(-1)!.student?.options, undefined);
    for (const phase of phases) assert.match(phase.name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  test(`${name}: some phase reads the teacher, or a student that did`, () => {
    const { phases } = resolve(name);
    assert.ok(phases.some(({ terms }) => terms.some(({ loss }) => loss !== 'cross-entropy')));
  });

  test(`${name}: every phase is a Program, fed with a number for each of its scalars at every step`, () => {
    const port = { input: 'x', inputShape: [6], output: 'logits', classes: 3 };
    for (const phase of resolve(name).phases) {
      const terms = phase.terms.map((term) => (term.at ? { ...term, at: ['hidden1', 'hidden2'] } : term));
      const program = buildProgram({
        student: students.mlp.build(port, { hidden: [8, 6], dropout: 0 }, 1),
        terms,
        batchSize: 4,
        optimizer: { name: 'adam', options: {} },
      });
      const scalars = objectiveScalars(terms, 20, 0, 20);
      assert.deepEqual(Object.keys(scalars).sort(), [...program.scalars].sort());
      for (const values of Object.values(scalars)) assert.ok(values.every(Number.isFinite));
      const parts = [0, 7].map((first, i) => objectiveScalars(terms, 20, first, [7, 13][i]!));
      for (const scalar of program.scalars) {
        assert.deepEqual([...parts[0]![scalar]!, ...parts[1]![scalar]!], [...scalars[scalar]!]);
      }
    }
  });
}
