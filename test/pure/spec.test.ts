import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/core/nearest.ts';
import type { RetortError } from '../../src/errors.ts';
import { parseSpec } from '../../src/spec/parse-spec.ts';
import { type Facilities, resolveSpec } from '../../src/spec/resolve-spec.ts';
import type { Spec } from '../../src/spec/spec.ts';

const facilities: Facilities = {
  kernels: {
    onnxruntime: { available: true },
    tfjs: { available: false, why: 'tfjs-node is not installed' },
  },
  devices: {
    cpu: { available: true },
    cuda: { available: false, why: 'no driver' },
    webgpu: { available: false, why: 'no adapter' },
  },
};
const resolve = (spec: object) => resolveSpec(parseSpec({ version: 1, ...spec }), facilities);
const problems = (spec: unknown): readonly string[] => {
  try {
    parseSpec(spec);
  } catch (error) {
    assert.equal((error as RetortError).code, 'SPEC_INVALID');
    return (error as RetortError).problems;
  }
  return [];
};

test('unknown keys are refused with their path and the nearest known name, all at once', () => {
  const found = problems({
    version: 1,
    trian: {},
    train: { batchsize: 3, optimizer: { name: 'sdg' }, schedule: { name: 'cosine', warm: 1 } },
    student: { architecture: 'resnet', dept: 8 },
    objective: { alpha: 0.5, temprature: 2 },
  });
  const has = (...parts: string[]) =>
    assert.ok(
      found.some((problem) => parts.every((part) => problem.includes(part))),
      `${parts} not in ${found.join('\n')}`,
    );
  has('/trian', '"train"');
  has('/train/batchsize', '"batchSize"');
  has('/train/optimizer/name', '"sdg"', '"sgd"', 'adamw');
  has('/train/schedule/warm', 'not known');
  has('/student/dept', '"depth"');
  has('/objective/temprature', '"temperature"');
  assert.equal(found.length, 6);
});

test('wrong values are refused with their path', () => {
  for (const [spec, path] of [
    [{ train: { epochs: 0 } }, '/train/epochs'],
    [{ train: { kernel: 'tfsj' } }, '/train/kernel'],
    [{ objective: { terms: [] } }, '/objective/terms'],
    [{ objective: { terms: [{ loss: 'kl', weight: -1 }] } }, '/objective/terms/0/weight'],
    [{ objective: { alpha: 2 } }, '/objective/alpha'],
    [{ student: { auto: {} } }, '/student/auto'],
    [{ student: 'resnet' }, '/student must be an object: {"architecture":"resnet"}'],
    [{ strategy: 'ensemble' }, '/strategy must be an object: {"name":"ensemble"}'],
    [{ objective: { terms: ['kl'] } }, '/objective/terms/0 must be an object: {"loss":"kl"}'],
    [{ strategy: 'ensembel' }, '/strategy must be an object'],
    [
      { student: { architecture: 'resnet', depth: 10 } },
      '/student/depth must be equal to one of the allowed values: 8, 14, 20',
    ],
    [{ inputs: { x: { std: [0] } } }, '/inputs/x/std/0'],
    [{ data: { train: { perClass: [1] } } }, '/data/train/perClass'],
    [{ seed: -1 }, '/seed'],
    [
      { objective: { alpha: 0.5, terms: [{ loss: 'kl' }] } },
      '/objective has "alpha" and "terms", which do not go together',
    ],
    [
      { student: { architecture: 'resnet', model: 'student.onnx' } },
      '/student has "architecture" and "model", which do not go together; give one of them',
    ],
    [
      { student: { architecture: 'resnet', depth: 8, auto: { maxParams: 9 } } },
      '/student has "architecture" and "auto", which do not go together',
    ],
    [
      { student: { auto: { maxParams: 9 }, model: 'student.onnx' } },
      '/student has "auto" and "model", which do not go together',
    ],
  ] as const) {
    const found = problems({ version: 1, ...spec });
    assert.equal(found.length, 1, `${JSON.stringify(spec)}: ${found.join('; ')}`);
    assert.ok(found[0]!.startsWith(path), `${found[0]} does not start with ${path}`);
  }
  assert.equal(problems([]).length, 1);
  assert.match(problems({})[0]!, /version/);
  assert.match(problems({ version: 2 })[0]!, /version/);
});

test('sugar equals the terms it stands for', () => {
  const sugar = resolve({ objective: { alpha: 0.9, temperature: 4 } });
  const terms = resolve({
    objective: {
      terms: [
        { loss: 'kl', weight: 0.9, temperature: 4 },
        { loss: 'cross-entropy', weight: 0.1 },
      ],
    },
  });
  assert.deepEqual(sugar, terms);
  assert.deepEqual(resolve({}).objective, sugar.objective);
  const standardized = resolve({ objective: { alpha: 1, logitStandardization: true } }).objective.terms;
  assert.deepEqual(standardized, [{ loss: 'kl', weight: 1, temperature: 4, options: { standardize: true } }]);
});

test('a learned temperature starts at 4 and is turned around bit by bit', () => {
  const terms = [{ loss: 'kl', weight: 0.9, temperature: 'learned' }];
  const [term] = resolve({ objective: { terms } }).objective.terms;
  assert.equal(term!.temperature, 4);
  assert.deepEqual(term!.schedule, { reversal: { from: 0, to: 1, over: 1 / 24 } });
  assert.deepEqual(resolve({ objective: { temperature: 'learned' } }).objective.terms[0], term);
  const annealed = { strategy: { name: 'annealing' }, objective: { temperature: 'learned' } };
  assert.throws(() => resolve(annealed), /"annealing" sets the temperature of "kl", which is to be learned/);
});

test('a resolved spec has every default, and resolving depends on nothing else', () => {
  const resolved = resolve({ train: { optimizer: { name: 'sgd', nesterov: true } } });
  assert.deepEqual(resolved.train.optimizer, {
    name: 'sgd',
    options: { learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0 },
  });
  assert.equal(resolved.train.kernel, 'auto');
  assert.equal(resolved.train.device, 'cpu');
  assert.deepEqual(resolved.train.length, { epochs: 10 });
  assert.deepEqual(JSON.parse(JSON.stringify(resolved)), resolved);
});

test('contradictions and what the machine lacks are refused with the reason', () => {
  const fails = (spec: object, code: string, words: RegExp) =>
    assert.throws(
      () => resolve(spec),
      (error: RetortError) => error.code === code && words.test(error.message),
    );
  fails({ train: { epochs: 1, steps: 1 } }, 'SPEC_INVALID', /epochs.*steps/);
  fails({ train: { device: 'cuda' } }, 'RUNTIME_UNAVAILABLE', /no driver/);
  fails({ train: { teacherDevice: 'webgpu' } }, 'RUNTIME_UNAVAILABLE', /teacherDevice "webgpu".*no adapter/);
  fails(
    { train: { device: 'webgpu' } },
    'SPEC_INVALID',
    /train\/device is "webgpu", which is not known\. Known: auto, cpu, cuda/,
  );
  fails({ train: { kernel: 'tfjs' } }, 'RUNTIME_UNAVAILABLE', /tfjs-node is not installed/);
  fails({ objective: { terms: [{ loss: 'kl', weight: 0 }] } }, 'SPEC_INVALID', /weight 0/);
  const [nothing, open] = [
    { loss: 'kl', weight: 0 },
    { loss: 'fitnet', weight: 'auto' },
  ];
  fails(
    { objective: { terms: [nothing, open] } },
    'SPEC_INVALID',
    /"auto" or 0; one term needs a number above 0/,
  );
  fails({ objective: { terms: [{ loss: 'cross-entropy', temperature: 2 }] } }, 'SPEC_INVALID', /temperature/);
  fails({ objective: { terms: [{ loss: 'self-distillation' }] } }, 'SPEC_INVALID', /which nothing teaches/);
  const cuda = { ...facilities, devices: { cpu: { available: true }, cuda: { available: true } } };
  const onCuda = resolveSpec({ version: 1 } as Spec, cuda).train;
  assert.deepEqual(
    [onCuda.device, onCuda.kernel, onCuda.kernelReason],
    ['cuda', 'onnxruntime', 'the only kernel for cuda'],
  );
  assert.equal(resolve({ train: { kernel: 'onnxruntime' } }).train.kernelReason, 'asked for');
});

test('the teacher runs where the student trains unless it has a device of its own', () => {
  const here = { available: true };
  const all = { ...facilities, devices: { cpu: here, cuda: here, webgpu: here } };
  const devices = (train: object, offered: Facilities) => {
    const resolved = resolveSpec(parseSpec({ version: 1, train }), offered).train;
    return [resolved.device, resolved.teacherDevice];
  };
  assert.deepEqual(devices({}, facilities), ['cpu', 'cpu']);
  assert.deepEqual(devices({}, all), ['cuda', 'cuda']);
  assert.deepEqual(devices({ teacherDevice: 'cpu' }, all), ['cuda', 'cpu']);
  assert.deepEqual(devices({ device: 'cpu', teacherDevice: 'webgpu' }, all), ['cpu', 'webgpu']);
});

test('the nearest name is offered only when it is near', () => {
  assert.equal(nearest('learning_rate', ['learningRate', 'momentum']), 'learningRate');
  assert.equal(nearest('banana', ['learningRate', 'momentum']), undefined);
});

test('literals stand in messages as they are written', () => {
  const problems = (change: object): readonly string[] => {
    try {
      parseSpec({ version: 1, ...change });
    } catch (error) {
      return (error as RetortError).problems;
    }
    return [];
  };
  const term = (temperature: unknown) => ({ objective: { terms: [{ loss: 'kl', temperature }] } });
  assert.deepEqual(problems({ method: 'kd' }), ['/method must be "auto"']);
  assert.deepEqual(problems(term('learn')), ['/objective/terms/0/temperature must be a number or "learned"']);
  assert.deepEqual(problems(term(0)), ['/objective/terms/0/temperature must be >= 0.01']);
});

test('numbers that float32 cannot hold are refused with their path', () => {
  const learningRate = (value: number) => ({
    version: 1,
    train: { optimizer: { name: 'sgd', learningRate: value } },
  });
  const path = '/train/optimizer/learningRate';
  assert.deepEqual(problems(learningRate(1e-300)), [`${path} is 1e-300, which is 0 as a float32`]);
  assert.deepEqual(problems(learningRate(1e300)), [`${path} is 1e+300, which is Infinity as a float32`]);
  assert.deepEqual(problems(learningRate(1e-30)), []);
  const terms = [{ loss: 'kl' }, { loss: 'cross-entropy', weight: 1e308 }];
  assert.deepEqual(problems({ version: 1, objective: { terms } }), [
    '/objective/terms/1/weight is 1e+308, which is Infinity as a float32',
  ]);
});

test('temperatures whose square float32 cannot hold are refused wherever a spec gives one', () => {
  const teachers = [{ file: 'second.onnx' }];
  for (const [spec, path] of [
    [{ objective: { temperature: 1e-30 } }, '/objective/temperature'],
    [{ objective: { temperature: 1e30 } }, '/objective/temperature'],
    [{ objective: { terms: [{ loss: 'dkd', temperature: 1e30 }] } }, '/objective/terms/0/temperature'],
    [
      { objective: { terms: [{ loss: 'multi-level', temperatures: [1e30] }] } },
      '/objective/terms/0/temperatures/0',
    ],
    [{ strategy: { name: 'ensemble', teachers, temperature: 1e30 } }, '/strategy/temperature'],
    [{ strategy: { name: 'self-within', temperature: 1e30 } }, '/strategy/temperature'],
    [{ strategy: { name: 'annealing', maxTemperature: 1e30 } }, '/strategy/maxTemperature'],
    [{ strategy: { name: 'continuation', maxTemperature: 1e30 } }, '/strategy/maxTemperature'],
  ] as const) {
    const [problem] = problems({ version: 1, ...spec });
    assert.ok(problem?.startsWith(`${path} must be `), `${path}: ${problem}`);
  }
});

test('zooms that leave nothing of a picture are refused', () => {
  const zoom = (options: object) => ({ version: 1, train: { augment: [{ name: 'scale', ...options }] } });
  assert.deepEqual(problems(zoom({ min: 0.1, max: 10 })), []);
  assert.deepEqual(problems(zoom({ max: 1e9 })), ['/train/augment/0/max must be <= 10']);
  assert.deepEqual(problems(zoom({ min: 1e-9 })), ['/train/augment/0/min must be >= 0.1']);
});
