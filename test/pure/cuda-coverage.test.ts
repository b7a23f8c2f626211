import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { rules } from '../../src/core/autodiff/rules/index.ts';
import type { GradientCase } from '../../src/core/gradcheck/gradient-case.ts';
import { losses } from '../../src/core/losses/index.ts';
import type { Loss } from '../../src/core/losses/loss.ts';
import { GraphBuilder } from '../../src/core/onnx/builder.ts';
import { decodeModel } from '../../src/core/onnx/decode.ts';
import type { Graph } from '../../src/core/onnx/model.ts';
import { allGraphs } from '../../src/core/onnx/walk.ts';
import { optimizers } from '../../src/core/optimizers/index.ts';
import { resolveOptions } from '../../src/core/options.ts';
import { buildProgram } from '../../src/core/program/build-program.ts';
import { gradientProgram } from '../../src/core/program/gradient-program.ts';
import { lowerStep } from '../../src/core/program/lower.ts';
import type { Program } from '../../src/core/program/program.ts';
import { students } from '../../src/core/students/index.ts';
import { withGradient } from '../support/check-gradient.ts';
import { cudaKernels, cudaTypeGaps } from '../support/cuda-kernels.ts';
import { featureProgram, optionSets, randomPairs } from '../support/feature-program.ts';
import { fixture } from '../support/fixtures.ts';
import { layerNumbers, layerProgram } from '../support/layer-program.ts';
import { sampleGraph } from '../support/sample-graph.ts';

/** Nothing of a lowered training graph may fall back to the CPU: inside the Loop that is a copy per node and step. */

/** One step; around it the Loop adds Gather, Identity and itself. */
const trained = (program: Program): Graph => lowerStep(program, 'ort-cuda').graph;

/** What the graph asks of the CUDA provider that it does not have. */
function missing(graph: Graph): string[] {
  return [...new Set(allGraphs(graph).flatMap(missingIn))];
}

function missingIn(graph: Graph): string[] {
  const typed = GraphBuilder.from(graph);
  return graph.nodes.flatMap(({ op, domain, inputs, attributes }) => {
    // Its kernel has no training mode.
    const training = attributes.training_mode?.type === 'int' && attributes.training_mode.value !== 0n;
    if (op === 'BatchNormalization') return training ? ['BatchNormalization in training mode'] : [];
    if (domain !== '' || !cudaKernels.has(op)) return [`${domain}${op}`];
    const gap = cudaTypeGaps[op];
    const dtype = gap && inputs[gap.input] ? typed.type(inputs[gap.input]!).dtype : undefined;
    if (dtype && gap!.dtypes.includes(dtype)) return [`${op} of ${dtype}`];
    const pads = attributes.pads?.type === 'ints' ? attributes.pads.value : [];
    const half = pads.length / 2;
    const lopsided = pads.slice(0, half).some((pad, i) => pad !== pads[half + i]);
    return op === 'ConvTranspose' && lopsided ? ['ConvTranspose with pads that differ by side'] : [];
  });
}

const port = (inputShape: readonly number[]) => ({ input: 'x', inputShape, output: 'logits', classes: 4 });
const onLogits = Object.entries(losses).filter(
  ([, entry]: [string, Loss]) => !entry.features && !entry.layers,
);
const objective = onLogits.map(([loss, entry]: [string, Loss]) => ({
  loss,
  weight: 1,
  temperature: 2,
  options: resolveOptions(entry.options, {}, loss) as Readonly<Record<string, unknown>>,
}));

for (const [name, architecture] of Object.entries(students)) {
  test(`training a ${name} has a CUDA kernel for every operator`, () => {
    const options = resolveOptions(architecture.options, {}, name);
    const student = architecture.build(port(name === 'mlp' ? [12] : [3, 16, 16]), options as never, 1);
    for (const optimizer of Object.keys(optimizers)) {
      const program = buildProgram({
        student,
        terms: objective,
        batchSize: 8,
        optimizer: { name: optimizer, options: {} },
        clipNorm: 1,
        ema: { decay: 0.9 },
      });
      assert.deepEqual(missing(trained(program)), []);
    }
  });
}

test('the losses on layers ask for nothing that CUDA lacks, nor do their gradients', () => {
  const gaps = Object.values(losses).flatMap((loss: Loss) =>
    (loss.features?.samples ?? []).flatMap((sample) =>
      optionSets(loss).flatMap((options) => {
        const found = missing(trained(featureProgram(loss, randomPairs(sample), options)));
        return found.map((what) => `${loss.name}: ${what}`);
      }),
    ),
  );
  assert.deepEqual(gaps, []);
});

test('the losses on layers of the student alone ask for nothing that CUDA lacks, nor do their gradients', () => {
  const gaps = Object.values(losses).flatMap((loss: Loss) =>
    (loss.layers?.samples ?? []).flatMap((sample) => {
      const options = resolveOptions(loss.options, {}, loss.name) as Record<string, unknown>;
      return missing(trained(layerProgram(loss, layerNumbers(loss, sample), options)));
    }),
  );
  assert.deepEqual(gaps, []);
});

test('the gradient rules ask for nothing that CUDA lacks', () => {
  const gaps: string[] = [];
  for (const rule of rules.values()) {
    if ('stop' in rule) continue;
    for (const sample of rule.samples) {
      // A student that is made of such operators falls back as it is.
      if (missing(sampleGraph(rule, sample).b.build('forward')).length > 0) continue;
      const found = missing(withGradient(sampleGraph(rule, sample), 'ort-cuda').b.build('gradient'));
      if (found.length > 0) gaps.push(`${rule.op}, ${sample.name}: ${found.join(', ')}`);
    }
  }
  assert.deepEqual(gaps, []);
});

test('training exported students has a CUDA kernel for every operator', (t) => {
  const folder = fixture('gradzoo');
  if (!folder) return t.skip('no shared fixtures');
  const gaps: string[] = [];
  const names = readdirSync(folder).filter((entry) => !entry.includes('.'));
  assert.ok(names.length > 0, 'the folder of exported students is empty');
  for (const name of names) {
    const reference = JSON.parse(readFileSync(join(folder, name, 'case.json'), 'utf8')) as GradientCase;
    const program = gradientProgram({
      model: decodeModel(gunzipSync(readFileSync(join(folder, name, 'model.onnx.gz')))),
      shapes: Object.fromEntries(reference.inputs.map((input) => [input.name, input.shape])),
      parameters: reference.grads.map(({ initializer }) => initializer),
      training: reference.mode === 'train',
    });
    const found = missing(trained(program));
    if (found.length > 0) gaps.push(`${name}: ${found.join(', ')}`);
  }
  assert.deepEqual(gaps, []);
});
