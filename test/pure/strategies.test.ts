import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanLogits } from '../../src/core/mean-logits.ts';
import { mixLogits } from '../../src/core/mix-logits.ts';
import { curveAt } from '../../src/core/schedules/curve.ts';
import type { Phase } from '../../src/core/strategies/phase.ts';
import { sharedTemperature } from '../../src/core/strategies/terms.ts';
import type { RetortError } from '../../src/errors.ts';
import { untaughtWarnings } from '../../src/pipeline/teacher/untaught-warnings.ts';
import { placePhases } from '../../src/pipeline/training/place-phases.ts';
import { parseSpec } from '../../src/spec/parse-spec.ts';
import { phaseStudent } from '../../src/spec/phase-student.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';

/** What each strategy makes of an objective, and how phases lie one after the other. */

const here = { available: true };
const facilities = { kernels: { onnxruntime: here }, devices: { cpu: here } };
const student = { architecture: 'mlp', hidden: [8] };
const resolve = (strategy: object, more: object = {}) =>
  resolveSpec(parseSpec({ version: 1, student, strategy, ...more }), facilities);
const phasesOf = (strategy: object, more: object = {}): readonly Phase[] => resolve(strategy, more).phases;
const lossesOf = ({ terms }: Phase) => terms.map(({ loss, weight }) => `${weight} ${loss}`);
const refuses = (strategy: object, more: object, words: RegExp) =>
  assert.throws(
    () => phasesOf(strategy, more),
    (error: RetortError) => error.code === 'SPEC_INVALID' && words.test(error.message),
  );
const terms = (...list: (string | object)[]) => ({
  objective: { terms: list.map((each) => (typeof each === 'string' ? { loss: each } : each)) },
});

test('two-stage: labels, then soft targets from there, the labels with the weight of the control', () => {
  const [labels, soft, ...others] = phasesOf({ name: 'two-stage', first: 0.25 });
  assert.deepEqual(others, []);
  assert.deepEqual([lossesOf(labels!), lossesOf(soft!)], [['1 cross-entropy'], ['0.9 kl']]);
  assert.deepEqual([labels!.share, soft!.share, soft!.from], [0.25, 0.75, 'labels']);
  refuses({ name: 'two-stage' }, terms('kl'), /reads labels alone/);
  refuses({ name: 'two-stage' }, terms('cross-entropy'), /reads the teacher/);
});

test('annealing: the published loss while the temperature falls in whole stairs, then the labels', () => {
  const [soft, labels] = phasesOf({ name: 'annealing', maxTemperature: 5 });
  assert.deepEqual([lossesOf(soft!), lossesOf(labels!)], [['1 annealed-mse'], ['1 cross-entropy']]);
  assert.equal(soft!.terms[0]!.options.maxTemperature, 5);
  const { temperature } = soft!.terms[0]!.schedule!;
  const seen = Array.from({ length: 10 }, (_, step) => curveAt(temperature!, step, 10));
  assert.deepEqual(seen, [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]);
  const [own] = phasesOf({ name: 'annealing' }, terms('kl', 'cross-entropy'));
  assert.equal(own!.terms[0]!.schedule!.temperature!.from, 10);
  refuses({ name: 'annealing' }, terms('logit-mse', 'cross-entropy'), /a temperature/);
});

test('what a spec gives soft targets says nothing of the labels where these stand alone', () => {
  const standardized = {
    objective: {
      terms: [
        { loss: 'kl', weight: 9, temperature: 2, standardize: true },
        { loss: 'cross-entropy', weight: 0.1 },
      ],
    },
  };
  for (const name of ['annealing', 'two-stage', 'continuation']) {
    const all = phasesOf({ name }, standardized).flatMap(lossesOf);
    assert.deepEqual(all.sort(), ['1 cross-entropy', '9 kl'], name);
  }
});

test('continuation: weight goes over from soft targets to labels, and stays there', () => {
  const [phase, ...others] = phasesOf({ name: 'continuation', maxTemperature: 4, over: 0.5 });
  assert.deepEqual(others, []);
  const [soft, hard] = phase!.terms.map(({ schedule }) => schedule!);
  const at = (step: number) => [soft, hard].map((each) => curveAt(each!.weight!, step, 8));
  assert.deepEqual(
    [at(0), at(2), at(4), at(7)],
    [
      [1, 0],
      [0.5, 0.5],
      [0, 1],
      [0, 1],
    ],
  );
  assert.deepEqual(
    [0, 1, 2, 3, 4, 7].map((step) => curveAt(soft!.temperature!, step, 8)),
    [4, 3, 2, 1, 1, 1],
  );
  refuses({ name: 'continuation' }, terms('annealed-mse'), /reads labels alone/);
});

test('options of a strategy that the objective leaves unread, or at odds with it, are refused with what to write instead', () => {
  const told = (strategy: object, more: object, words: RegExp, hint: RegExp) =>
    assert.throws(
      () => phasesOf(strategy, more),
      (error: RetortError) =>
        error.code === 'SPEC_INVALID' && words.test(error.message) && hint.test(error.hint ?? ''),
    );
  const soft = (options: object = {}) => terms({ loss: 'annealed-mse', ...options }, 'cross-entropy');
  const odd = /takes no term that has another maxTemperature than the strategy, .* at 5: annealed-mse$/;
  for (const name of ['annealing', 'continuation']) {
    told({ name, maxTemperature: 5 }, soft(), odd, /Give the term "maxTemperature": 5/);
    const [first] = phasesOf({ name, maxTemperature: 5 }, soft({ maxTemperature: 5 }));
    assert.equal(first!.terms[0]!.schedule!.temperature!.from, 5);
    phasesOf({ name, maxTemperature: 5 }, terms('kl', 'cross-entropy'));
  }
  const margin = { name: 'continuation', maxTemperature: 10, margin: 0.5 };
  told(margin, soft(), /^\/strategy\/margin decides/, /objective\.terms/);
  told(margin, { objective: { alpha: 0.5 } }, /^\/strategy\/margin decides/, /objective\.terms/);
  phasesOf({ name: 'continuation', maxTemperature: 10 }, soft({ margin: 0.5 }));
  const clients = [{ file: 'b.onnx' }];
  const federated = { name: 'federated', clients };
  told({ ...federated, method: 'fedmd' }, terms('kl'), /^\/strategy\/method decides/, /strategy\.method/);
  phasesOf(federated, terms('kl'));
  const own = terms('kl', { loss: 'self-distillation', at: ['a', 'b'] });
  told({ name: 'self-within', alpha: 0.3 }, own, /^\/strategy\/alpha decides/, /strategy\.alpha/);
});

test('self: every generation is taught by the one before, from other initial weights', () => {
  const phases = phasesOf({ name: 'self', generations: 3 });
  assert.deepEqual(
    phases.map(({ name }) => name),
    ['generation-1', 'generation-2', 'generation-3'],
  );
  assert.deepEqual(
    phases.map(({ teachers }) => teachers),
    [undefined, { 'generation-1': 1 }, { 'generation-2': 1 }],
  );
  assert.deepEqual(
    phases.map((phase) => phase.student?.seed),
    [undefined, 1, 2],
  );
  refuses({ name: 'self' }, terms('cross-entropy'), /logits/);
  refuses({ name: 'self' }, { student: { model: 'mine.onnx' } }, /other initial weights/);
});

test('self-within: the objective and one more term, in one phase; what the objective says of that term counts', () => {
  const [phase, ...others] = phasesOf({ name: 'self-within', alpha: 0.3 }, terms('kl', 'cross-entropy'));
  assert.deepEqual(others, []);
  assert.deepEqual(lossesOf(phase!), ['1 kl', '1 cross-entropy', '1 self-distillation']);
  const [, , within] = phase!.terms;
  assert.deepEqual(
    [within!.at, within!.weighing, within!.temperature, within!.options],
    ['auto', 'published', 3, { alpha: 0.3, hint: 0.1 }],
  );
  const own = terms('cross-entropy', { loss: 'self-distillation', weight: 2, at: ['a', 'b'] });
  assert.deepEqual(lossesOf(phasesOf({ name: 'self-within' }, own)[0]!), [
    '1 cross-entropy',
    '2 self-distillation',
  ]);
});

test('layers of the student alone may be read in any phase, whoever teaches; labels only where the options say so', () => {
  const within = { loss: 'self-distillation', at: ['a', 'b'] };
  for (const phase of phasesOf({ name: 'self' }, terms('kl', within))) {
    assert.deepEqual(lossesOf(phase), ['1 kl', '1 self-distillation']);
  }
  refuses({ name: 'label-free' }, terms('kl', within), /reads labels/);
  const [free] = phasesOf({ name: 'label-free' }, terms('kl', { ...within, alpha: 1 }));
  assert.deepEqual(lossesOf(free!), ['1 kl', '1 self-distillation']);
  const [, soft] = phasesOf({ name: 'two-stage' }, terms('cross-entropy', 'kl', within));
  assert.equal(soft!.terms.length, 2);
  refuses({ name: 'two-stage' }, terms('cross-entropy', within), /reads the teacher/);
});

test('progressive: assistants by their options, each taught by the one before', () => {
  const assistants = [{ hidden: [64, 32] }, { hidden: [16] }];
  const phases = phasesOf({ name: 'progressive', assistants, share: 0.5 });
  assert.deepEqual(
    phases.map(({ name }) => name),
    ['assistant-1', 'assistant-2', 'student'],
  );
  assert.deepEqual(
    phases.map(({ share }) => share),
    [0.5, 0.5, 1],
  );
  assert.deepEqual(
    phases.map(({ teachers }) => teachers),
    [undefined, { 'assistant-1': 1 }, { 'assistant-2': 1 }],
  );
  assert.deepEqual(
    phases.map(({ assistant }) => assistant),
    [true, true, undefined],
  );
  refuses({ name: 'progressive', assistants: [{ width: 3 }] }, {}, /width/);
  refuses({ name: 'progressive' }, {}, /assistants/);
  refuses({ name: 'progressive', assistants }, { student: { auto: { maxParams: 9 } } }, /architecture/);
});

test('what is wrong with the student of a phase is told with the phase and with what was meant', () => {
  const hints = (strategy: object, message: RegExp, hint: RegExp) =>
    assert.throws(
      () => phasesOf(strategy),
      (error: RetortError) =>
        error.code === 'SPEC_INVALID' && message.test(error.message) && hint.test(error.hint ?? ''),
    );
  const assistants = [{ architecture: 'resnt' }];
  hints({ name: 'mutual', peer: { hiden: [4] } }, /phase "peer[^"]*".*no option "hiden"/, /mean "hidden"/);
  hints({ name: 'progressive', assistants }, /phase "assistant-1".*"resnt"/, /mean "resnet"/);
});

test('a peer of an uploaded student is another network; the same file has the same weights', () => {
  const own = { student: { model: 'mine.onnx' } };
  const peerOf = (peer: object) => {
    const { phases, student } = resolve({ name: 'mutual', peer }, own);
    return phases
      .filter(({ name }) => /^(peer|student)-0$/.test(name))
      .map((each) => phaseStudent(each, student));
  };
  const mine = { kind: 'model', file: 'mine.onnx' };
  assert.deepEqual(peerOf({ model: 'other.onnx' }), [{ kind: 'model', file: 'other.onnx' }, mine]);
  assert.deepEqual(
    peerOf({ architecture: 'mlp', hidden: [4] }).map(({ kind }) => kind),
    ['architecture', 'model'],
  );
  for (const peer of [{}, { model: 'mine.onnx' }]) {
    assert.throws(
      () => peerOf(peer),
      (error: RetortError) =>
        error.code === 'SPEC_INVALID' &&
        /"peer-0" needs the student with other initial weights/.test(error.message) &&
        /another model for that phase/.test(error.hint!),
    );
  }
});

test('the student of a phase is of one kind: an architecture, a limit or a file', () => {
  const first = (own: object) => {
    const { phases, student } = resolve({ name: 'progressive', assistants: [own] });
    return phaseStudent(phases[0]!, student);
  };
  assert.deepEqual(first({ model: 'helper.onnx' }), { kind: 'model', file: 'helper.onnx' });
  assert.deepEqual(first({ auto: { maxParams: 9 } }), { kind: 'auto', limits: { maxParams: 9 } });
  const both = /phase "assistant-1": student has "architecture" and "model", which do not go together/;
  assert.throws(() => first({ architecture: 'mlp', model: 'helper.onnx' }), both);
  assert.throws(
    () => first({ auto: { maxParams: 0 } }),
    /phase "assistant-1": student\/auto\/maxParams must/,
  );
});

test('a student whose classifier nothing teaches is warned of, whatever an earlier student learned', () => {
  const told = (strategy: object, objective: object) => untaughtWarnings(resolve(strategy, objective));
  const [words] = told({ name: 'single-stage' }, terms('fitnet', 'cosine'));
  assert.match(words!, /^"fitnet" and "cosine" say nothing of the student's class scores, .*: add "kl"$/);
  for (const loss of ['kl', 'cross-entropy', 'self-distillation']) {
    assert.deepEqual(told({ name: 'single-stage' }, terms('fitnet', loss)), [], loss);
  }
  assert.deepEqual(told({ name: 'two-stage' }, terms('fitnet', 'kl')), []);
  assert.deepEqual(told({ name: 'mutual' }, {}), []);
});

test('mutual: two students take turns, each taught by the teacher and the other one of the turn before', () => {
  const phases = phasesOf({ name: 'mutual', alone: 0.6, rounds: 1, weight: 0.25, peer: { hidden: [4] } });
  assert.deepEqual(
    phases.map(({ name, from, teachers }) => ({ name, from, teachers })),
    [
      { name: 'peer-0', from: undefined, teachers: undefined },
      { name: 'student-0', from: undefined, teachers: undefined },
      { name: 'peer-1', from: 'peer-0', teachers: { teacher: 0.75, 'student-0': 0.25 } },
      { name: 'student-1', from: 'student-0', teachers: { teacher: 0.75, 'peer-1': 0.25 } },
    ],
  );
  assert.deepEqual(
    phases.map(({ share, continues, select }) => [share, continues, select]),
    [
      [0.6, undefined, 'last'],
      [0.6, undefined, 'last'],
      [0.4, true, undefined],
      [0.4, true, undefined],
    ],
  );
});

test('label-free and function-matching learn from the teacher alone, and refuse labels', () => {
  for (const [name, temperature] of [
    ['label-free', 4],
    ['function-matching', 1],
  ] as const) {
    const [phase] = phasesOf({ name });
    assert.deepEqual(phase!.terms, [{ loss: 'kl', weight: 1, temperature, options: { standardize: false } }]);
    refuses({ name }, terms('kl', 'cross-entropy'), /reads labels: cross-entropy/);
  }
});

test('data-free: nothing is settled on rows that are yet to be recovered', () => {
  const fitnet = { loss: 'fitnet', from: 'a', to: 'b' };
  const words = /takes no term that is settled by looking at training rows, before there are any: /;
  for (const odd of [
    { loss: 'fitnet' },
    { ...fitnet, weight: 'auto' },
    { loss: 'logit-mse', weight: 'auto' },
  ]) {
    refuses({ name: 'data-free' }, terms('kl', odd), new RegExp(`${words.source}${odd.loss}$`));
  }
  const [phase] = phasesOf({ name: 'data-free' }, terms('kl', { ...fitnet, weight: 'published' }));
  assert.equal(phase!.terms[1]!.weighing, 'published');
});

test('ensemble: one phase on what its teachers say together; weights and files as given, or refused', () => {
  const teachers = [
    { file: 'b.onnx', weight: 3 },
    { file: 'c.onnx', labels: { cat: 1, dog: [0, 2] } },
  ];
  const { phases, ensemble } = resolve({ name: 'ensemble', teachers, weights: 'agreement', dissent: 0.5 });
  assert.deepEqual(
    phases.map(({ name, teachers }) => [name, teachers]),
    [['all', undefined]],
  );
  assert.deepEqual(ensemble, {
    weight: 1,
    others: [
      { file: 'b.onnx', inputs: {}, weight: 3 },
      { file: 'c.onnx', inputs: {}, labels: { cat: 1, dog: [0, 2] }, weight: 1 },
    ],
    combine: 'probabilities',
    temperature: 1,
    weighting: { by: 'agreement', dissent: 0.5 },
  });
  const refusesTeachers = (list: object[], words: RegExp) =>
    refuses({ name: 'ensemble', teachers: list }, {}, words);
  refusesTeachers([], /teachers/);
  refusesTeachers([{ file: 'b' }, { file: 'b' }], /names "b" twice/);
  refusesTeachers([{ file: 'b', labels: { cat: 1, dog: [1] } }], /output 1 of "b" to two classes/);
  refusesTeachers([{ file: 'b', labels: { cat: 1 } }], /labels/);
  refusesTeachers([{ file: 'b', weight: 0 }], /weight/);
  refusesTeachers([{ file: 'b', inputs: { x: { sise: [4, 4] } } }], /did you mean "size"/);
  refuses({ name: 'ensemble', teachers }, terms('cross-entropy'), /logits/);
  refuses({ name: 'ensemble' }, {}, /needs "teachers"/);
  const unread = (options: object, words: RegExp) =>
    refuses({ name: 'ensemble', teachers, ...options }, {}, words);
  unread({ temperature: 4, combine: 'logits' }, /temperature is read with "combine": "probabilities" alone/);
  unread({ confidence: 'max' }, /confidence is read with "weights": "confidence" alone, and .* "fixed"/);
  unread({ dissent: 0.5, weights: 'learned' }, /dissent is read with "weights": "agreement" alone/);
  assert.equal(resolve({ name: 'self' }).ensemble, undefined);
});

test('federated: FedDF matches the softmax of the mean logits, FedMD the logits; weights are rows learned from', () => {
  const clients = [{ file: 'b.onnx', samples: 30 }];
  for (const [method, loss] of [
    ['feddf', 'kl'],
    ['fedmd', 'logit-mse'],
  ]) {
    const { phases, ensemble } = resolve({ name: 'federated', clients, samples: 10, method });
    assert.equal(phases[0]!.terms[0]!.loss, loss);
    assert.deepEqual([ensemble!.weight, ensemble!.others[0]!.weight, ensemble!.combine], [10, 30, 'logits']);
  }
  refuses(
    { name: 'federated', clients, samples: 10 },
    terms('kl', 'cross-entropy'),
    /reads labels: cross-entropy/,
  );
});

test('federated: rows are said of all clients or of none, who then weigh the same', () => {
  const weights = (strategy: object) => {
    const { weight, others } = resolve({ name: 'federated', ...strategy }).ensemble!;
    return [weight, ...others.map((other) => other.weight)];
  };
  const [b, c] = [{ file: 'b.onnx' }, { file: 'c.onnx' }];
  assert.deepEqual(weights({ clients: [b, c] }), [1, 1, 1]);
  assert.deepEqual(weights({ samples: 2, clients: [{ ...b, samples: 4000 }] }), [2, 4000]);
  for (const [strategy, words] of [
    [
      { clients: [{ ...b, samples: 4000 }] },
      /^\/strategy\/samples: .* 4000 of "b\.onnx" and nothing of the job's teacher$/,
    ],
    [
      { samples: 50, clients: [b] },
      /^\/strategy\/clients\/0\/samples: .* 50 of the job's teacher and nothing of "b/,
    ],
    [
      { samples: 50, clients: [{ ...b, samples: 5 }, c] },
      /^\/strategy\/clients\/1\/samples: .* nothing of "c\.onnx"$/,
    ],
  ] as const) {
    refuses({ name: 'federated', ...strategy }, {}, words);
  }
});

test('function-matching brings its recipe, of which the spec may change any part', () => {
  const { train } = resolve({ name: 'function-matching' });
  assert.deepEqual(train.length, { epochs: 300 });
  assert.deepEqual(train.augment, [{ name: 'mixup', options: { alpha: 1 } }]);
  assert.equal(train.clipNorm, 1);
  const changed = resolve({ name: 'function-matching' }, { train: { steps: 7, clipNorm: 2 } }).train;
  assert.deepEqual([changed.length, changed.clipNorm, changed.augment.length], [{ steps: 7 }, 2, 1]);
});

test('a share of labels that "alpha" gives a strategy without any is refused in the words of the spec, with what works', () => {
  const strategies = ['function-matching', 'label-free', 'data-free', 'federated'].map((name) =>
    name === 'federated' ? { name, clients: [{ file: 'b.onnx' }] } : { name },
  );
  for (const strategy of strategies) {
    for (const [objective, said] of [
      [{ temperature: 2 }, /"alpha" is 0\.9 where it is left out/],
      [{ alpha: 0.5, logitStandardization: true }, /"alpha" is 0\.5,/],
      [{}, /where it is left out/],
    ] as const) {
      let hint = '';
      assert.throws(
        () => phasesOf(strategy, { objective }),
        (error: RetortError) => {
          hint = error.hint!;
          return (
            error.code === 'SPEC_INVALID' &&
            said.test(error.message) &&
            error.message.startsWith(`/objective: the strategy "${strategy.name}" reads no labels`) &&
            !error.message.includes('cross-entropy')
          );
        },
      );
      const followed = JSON.parse(`{${/"objective": .*(?=\.$)/.exec(hint)![0]}}`);
      assert.deepEqual(followed.objective, { ...objective, alpha: 1 });
      assert.deepEqual(
        phasesOf(strategy, followed)[0]!.terms.map(({ loss }) => loss),
        ['kl'],
      );
    }
    refuses(strategy, terms('kl', 'cross-entropy'), /takes no term that reads labels: cross-entropy/);
  }
});

test('phases are whole epochs, and one that goes on from another sees the batches behind it', () => {
  const place = (strategy: object, length: { epochs: number } | { steps: number }) =>
    placePhases(phasesOf(strategy), { length, batchSize: 10 }, 45).map(({ steps, start, before }) => [
      steps,
      start,
      before,
    ]);
  assert.deepEqual(place({ name: 'two-stage', first: 0.3 }, { epochs: 10 }), [
    [12, 0, 0],
    [28, 12, 12],
  ]);
  assert.deepEqual(place({ name: 'self' }, { steps: 6 }), [
    [6, 0, 0],
    [6, 0, 6],
  ]);
  assert.deepEqual(place({ name: 'mutual', rounds: 1 }, { steps: 3 }), [
    [2, 0, 0],
    [2, 0, 2],
    [1, 2, 4],
    [1, 2, 5],
  ]);
  assert.deepEqual(place({ name: 'two-stage' }, { epochs: 5 }), [
    [12, 0, 0],
    [8, 12, 12],
  ]);
  assert.deepEqual(place({ name: 'two-stage', first: 0.01 }, { epochs: 2 }), [
    [4, 0, 0],
    [4, 4, 4],
  ]);
});

test('phases of one student that are too many for its length are refused; what is enough is, and costs no more than one phase', () => {
  const refusal = (strategy: object, train: object): string | undefined => {
    try {
      resolve(strategy, { train });
    } catch (error) {
      const { code, message, hint } = error as RetortError;
      assert.equal(code, 'SPEC_INVALID');
      return `${message} ${hint}`;
    }
    return undefined;
  };
  const few =
    /^\/train: 8 epochs are too few for the phases of "mutual": nothing is left for "(peer|student)-\d"/;
  assert.match(refusal({ name: 'mutual' }, { epochs: 8 })!, few);
  assert.match(refusal({ name: 'mutual' }, { epochs: 8 })!, /Give train\.epochs 10 or more/);
  assert.match(refusal({ name: 'mutual', rounds: 100 }, { steps: 50 })!, /Give train\.steps 200 or more or/);
  assert.match(
    refusal({ name: 'two-stage' }, { epochs: 1 })!,
    /left for "soft-targets" Give train\.epochs 2/,
  );
  assert.match(
    refusal({ name: 'annealing', soft: 0.999 }, { epochs: 10 })!,
    /left for "labels" .* 1000 or more/,
  );
  const assistants = [{ hidden: [4] }];
  assert.equal(refusal({ name: 'progressive', assistants, share: 0.1 }, { epochs: 1 }), undefined);
  for (const rounds of [1, 2, 3, 5, 7, 100]) {
    for (const epochs of [1, 2, 3, 5, 6, 8, 10, 12, 14, 30, 200]) {
      const strategy = { name: 'mutual', rounds };
      const told = refusal(strategy, { epochs });
      const enough = Number(/epochs (\d+) or more/.exec(told ?? '')?.[1] ?? epochs);
      const placed = placePhases(
        phasesOf(strategy, { train: { epochs: enough } }),
        { length: { epochs: enough }, batchSize: 10 },
        45,
      );
      for (const own of ['student', 'peer']) {
        const made = placed
          .filter(({ name }) => name.startsWith(own))
          .reduce((sum, { steps }) => sum + steps, 0);
        assert.equal(made, 4 * enough, `${own}, ${rounds} rounds, ${enough} epochs`);
      }
    }
  }
});

test('phases that continue one another share a schedule and the seed of the first; others have their own', () => {
  const placed = placePhases(
    phasesOf({ name: 'mutual', alone: 0.3, rounds: 2 }),
    { length: { steps: 7 }, batchSize: 10 },
    45,
  );
  assert.deepEqual(
    placed.map(({ name, root, schedule }) => [name, root, schedule.first, schedule.steps]),
    [
      ['peer-0', 0, 0, 7],
      ['student-0', 1, 0, 7],
      ['peer-1', 0, 2, 7],
      ['student-1', 1, 2, 7],
      ['peer-2', 0, 5, 7],
      ['student-2', 1, 5, 7],
    ],
  );
  const others = placePhases(phasesOf({ name: 'two-stage' }), { length: { steps: 7 }, batchSize: 10 }, 45);
  assert.deepEqual(
    others.map(({ root, steps, schedule }) => [root, schedule.first, schedule.steps === steps]),
    [
      [0, 0, true],
      [1, 0, true],
    ],
  );
});

test('several teachers are mixed at the temperature that all terms on them have', () => {
  const kl = (temperature: number, more = {}) => ({
    loss: 'kl',
    weight: 1,
    temperature,
    options: {},
    ...more,
  });
  const hard = { loss: 'cross-entropy', weight: 1, options: {} };
  const falling = { schedule: { temperature: { from: 4, to: 1, over: 1 } } };
  assert.equal(sharedTemperature([hard, kl(4), kl(4)]), 4);
  assert.equal(sharedTemperature([kl(4), kl(2)]), 1);
  assert.equal(sharedTemperature([kl(4, falling)]), 1);
  assert.equal(sharedTemperature([hard]), 1);
});

test('a mix of logits is that of the mean of softened probabilities, whatever the shift and size of each', () => {
  const logits = [Float32Array.of(1, 2, 3, 1e4, 0, -1e4), Float32Array.of(203, 202, 201, 0, 0, 0)];
  const sources = [
    { logits: logits[0]!, weight: 3 },
    { logits: logits[1]!, weight: 1 },
  ];
  const softmax = (row: ArrayLike<number>) => {
    const e = Array.from(row, (z) => Math.exp(z - Math.max(...Array.from(row))));
    return e.map((v) => v / e.reduce((a, b) => a + b));
  };
  for (const temperature of [1, 4]) {
    const mixed = mixLogits(sources, 3, temperature);
    assert.ok(mixed.every(Number.isFinite));
    for (const from of [0, 3]) {
      const softened = (each: Float32Array) =>
        softmax(each.subarray(from, from + 3).map((z) => z / temperature));
      const [a, b] = logits.map(softened);
      softened(mixed).forEach((value, c) => {
        assert.ok(Math.abs(value - (0.75 * a![c]! + 0.25 * b![c]!)) < 1e-6, `${value}`);
      });
    }
  }
  assert.equal(mixLogits([{ logits: logits[0]!, weight: 1 }], 3), logits[0]);
});

test('a mean of logits keeps what teachers that agree say, each score by itself', () => {
  const logits = Float32Array.of(3, 2, -4, -5);
  const same = meanLogits([
    { logits, weight: 0.75 },
    { logits, weight: 0.25 },
  ]);
  assert.deepEqual(same, logits);
  const other = Float32Array.of(7, 2, 0, 3);
  const mean = meanLogits([
    { logits, weight: 3 },
    { logits: other, weight: 1 },
  ]);
  assert.deepEqual(mean, Float32Array.of(4, 2, -3, -3));
});
