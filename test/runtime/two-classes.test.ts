import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { encodeModel } from '../../src/core/onnx/encode.ts';
import { tensor } from '../../src/core/onnx/tensor.ts';
import type { RetortError } from '../../src/errors.ts';
import { runJourney } from '../../src/pipeline/run.ts';
import { memoryTools, tinyRequest, tinySpec, tinyTeacher } from '../support/tiny-job.ts';

/** Which objectives a teacher of two classes is refused with; classes are known when it is inspected. */

function pairTeacher(): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('picture', 'float32', ['N', 1, 8, 8]);
  const weights = Float32Array.from({ length: 128 }, (_, i) => (i % 2 === 0 ? 0.01 : -0.01));
  const w = b.initializer('weights', tensor('float32', [64, 2], weights));
  b.op('MatMul', [b.op('Flatten', [x], { axis: 1 }), w], {}, { outputs: ['scores'] });
  b.output('scores');
  return encodeModel(b.model('pair-teacher'));
}

const tools = memoryTools();
const inspected = async (
  changes: object,
  teacher: Uint8Array,
  companions: Readonly<Record<string, Uint8Array>> = {},
): Promise<string> => {
  try {
    await runJourney({ ...tinyRequest(tinySpec(changes), teacher, companions), until: 'inspect' }, tools);
    return 'fine';
  } catch (error) {
    const { code, message, hint } = error as RetortError;
    return `${code}: ${message}. ${hint}`;
  }
};
const terms = (term: object) => ({ terms: [{ loss: 'cross-entropy' }, term] });

test('an objective that says nothing of two classes is refused as soon as the teacher is known to have two', async () => {
  for (const [objective, why] of [
    [{ logitStandardization: true }, /^SPEC_INVALID: \/objective: "kl" standardises logits/],
    [terms({ loss: 'dkd', standardize: true }), /^SPEC_INVALID: \/objective: "dkd" standardises logits/],
    [terms({ loss: 'dkd', alpha: 0 }), /^SPEC_INVALID: \/objective: "dkd" weighs only/],
    [terms({ loss: 'dist' }), /^SPEC_INVALID: \/objective: "dist" correlates rows/],
  ] as const) {
    assert.match(await inspected({ objective }, pairTeacher()), why);
    assert.equal(await inspected({ objective }, tinyTeacher()), 'fine');
  }
  for (const objective of [{}, terms({ loss: 'dkd' }), terms({ loss: 'dist', inter: 0 })]) {
    assert.equal(await inspected({ objective }, pairTeacher()), 'fine');
  }
});

test('an ensemble of standardised logits is refused there too: it would be a mere vote', async () => {
  const twice = (combine: string, teacher: Uint8Array) => {
    const strategy = { name: 'ensemble', teachers: [{ file: 'second.onnx' }], combine };
    return inspected({ strategy }, teacher, { 'second.onnx': teacher });
  };
  assert.match(
    await twice('standardized-logits', pairTeacher()),
    /^SPEC_INVALID: \/strategy\/combine: "standardized-logits" .* only its vote; the teacher has two\. Take "probab/,
  );
  assert.equal(await twice('standardized-logits', tinyTeacher()), 'fine');
  for (const combine of ['probabilities', 'logits']) {
    assert.equal(await twice(combine, pairTeacher()), 'fine');
  }
});
