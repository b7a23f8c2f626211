import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetortError } from '../../../src/errors.ts';
import { Attempt } from '../../../src/service/jobs/attempt.ts';
import { isTerminal, type JobRecord, jobKey, jobStates, openKey } from '../../../src/service/jobs/job.ts';
import { cancel, claim, type Ending, end, pause, resume } from '../../../src/service/jobs/transitions.ts';
import { parseSpec } from '../../../src/spec/parse-spec.ts';
import { memoryService, someDraft, someFanOut, someOptions } from '../../support/job-draft.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;
const fault = { code: 'DATA_EMPTY', message: 'no rows', hint: null, problems: [], facts: {} } as const;

const aJob = async (state: JobRecord['state']): Promise<JobRecord> => {
  const { service } = memoryService();
  return { ...(await service.create(someDraft())), state };
};
const attemptTools = ({ records, clock }: ReturnType<typeof memoryService>, crashBudget = 3) => ({
  records,
  clock,
  crashBudget,
});

test('no transition changes a finished job', async () => {
  const endings: Ending[] = [
    { kind: 'succeeded', artifacts: [] },
    { kind: 'failed', fault, retryable: true },
    { kind: 'stopped' },
    { kind: 'crashed', detail: 'SIGKILL' },
    { kind: 'fanned-out', fanOut: someFanOut },
  ];
  for (const state of jobStates.filter(isTerminal)) {
    const job = await aJob(state);
    for (const ending of endings) assert.equal(end(job, ending, 3, 0), job);
    assert.equal(claim(job, 'w', 3, 0), null);
    for (const change of [pause, resume]) assert.throws(() => change(job), code('JOB_STATE'));
    if (state === 'cancelled') assert.equal(cancel(job, 0), job);
    else assert.throws(() => cancel(job, 0), code('JOB_STATE'));
  }
});

test('a wish to cancel or pause comes before what the attempt made of the job', async () => {
  const cancelling = await aJob('cancelling');
  assert.equal(end(cancelling, { kind: 'succeeded', artifacts: [] }, 3, 0).state, 'cancelled');
  const pausing = await aJob('pausing');
  for (const kind of ['stopped', 'crashed', 'fanned-out'] as const) {
    const ending = { kind, detail: '', fanOut: someFanOut } as Ending;
    assert.equal(end(pausing, ending, 3, 0).state, 'paused');
    assert.equal(end(cancelling, ending, 3, 0).state, 'cancelled');
  }
  assert.equal(claim(pausing, 'w', 3, 0)!.state, 'paused');
  assert.equal(claim(cancelling, 'w', 3, 0)!.state, 'cancelled');
});

test('passing failures are tried three times, others once', async () => {
  let job = await aJob('running');
  assert.equal(end(job, { kind: 'failed', fault, retryable: false }, 3, 0).state, 'failed');
  for (const expected of ['queued', 'queued', 'failed']) {
    job = end({ ...job, state: 'running' }, { kind: 'failed', fault, retryable: true }, 3, 0);
    assert.equal(job.state, expected);
  }
  assert.equal(job.error?.code, 'DATA_EMPTY');
});

test('a job that crashes without getting further fails when its budget is used up', async () => {
  let job = await aJob('queued');
  for (let crash = 1; crash < 3; crash++) {
    job = end(claim(job, 'w', 3, 0)!, { kind: 'crashed', detail: 'SIGSEGV' }, 3, 0);
    assert.equal(job.state, 'queued');
  }
  job = end(claim(job, 'w', 3, 0)!, { kind: 'crashed', detail: 'SIGSEGV' }, 3, 0);
  assert.deepEqual([job.state, job.error?.code, job.attempt], ['failed', 'WORKER_CRASHED', 3]);
});

test('a created job is marked, recorded, told of and queued; a finished one keeps no marker', async () => {
  const made = memoryService();
  const job = await made.service.create(someDraft());
  assert.equal(job.state, 'queued');
  assert.ok(await made.jobs.get(openKey(job.id)));
  assert.ok(await made.dispatcher.where(job));
  await made.service.cancel(job.id);
  assert.equal(await made.jobs.get(openKey(job.id)), undefined);
  assert.equal(await made.dispatcher.where(job), undefined);
  assert.deepEqual(made.reached, ['queued', 'cancelled']);
  assert.deepEqual(
    (await made.service.events(job.id)).map(({ id, data }) => [id, (data as { state: string }).state]),
    [
      [1, 'queued'],
      [2, 'cancelled'],
    ],
  );
});

test('only one of two attempts can write, and the later one is it', async () => {
  const made = memoryService();
  const job = await made.service.create(someDraft());
  const first = (await Attempt.claim(job, 'one', attemptTools(made)))!;
  const second = (await Attempt.claim(job, 'two', attemptTools(made)))!;
  assert.deepEqual([first.number, second.number], [1, 2]);
  await assert.rejects(first.event('note', {}), code('STORE_CONFLICT'));
  await assert.rejects(first.finish({ kind: 'succeeded', artifacts: [] }), code('STORE_CONFLICT'));
  await second.event('note', {});
  assert.equal((await second.finish({ kind: 'succeeded', artifacts: [] })).state, 'succeeded');
  assert.equal(await Attempt.claim(job, 'three', attemptTools(made)), undefined);
});

test('an entry of an earlier dispatch starts nothing', async () => {
  const made = memoryService();
  const job = await made.service.create(someDraft());
  await made.service.pause(job.id);
  await made.service.resume(job.id);
  assert.equal(await Attempt.claim(job, 'w', attemptTools(made)), undefined);
  assert.ok(await Attempt.claim({ id: job.id, dispatch: 2 }, 'w', attemptTools(made)));
});

test('saved work makes the next crash the first one', async () => {
  const made = memoryService();
  const job = await made.service.create(someDraft());
  for (let dispatch = 1; dispatch <= 6; dispatch++) {
    const attempt = (await Attempt.claim({ id: job.id, dispatch }, 'w', attemptTools(made, 2)))!;
    await attempt.saved();
    assert.equal((await attempt.finish({ kind: 'crashed', detail: 'SIGKILL' })).crashes, 1);
  }
});

test('progress tells the time left from the pace of this attempt, not of earlier ones', async () => {
  const made = memoryService();
  const job = await made.service.create(someDraft());
  const attempt = (await Attempt.claim(job, 'w', attemptTools(made)))!;
  await attempt.stage({ name: 'train', state: 'started', milliseconds: 0 });
  made.clock.time += 2000;
  await attempt.progress('train', 500, 1000);
  made.clock.time += 10_000;
  await attempt.progress('train', 600, 1000);
  assert.equal((await attempt.current()).progress?.etaMs, 40_000);
});

test('the reconciler fills an emptied queue, settles what a dead process left, and ends what is past its time', async () => {
  const made = memoryService();
  const lost = await made.service.create(someDraft());
  const late = await made.service.create(someDraft({ options: { ...someOptions, cancelAfterSeconds: 10 } }));
  await made.dispatcher.remove(lost);
  assert.equal(await made.reconcile(), 1);
  assert.equal(await made.reconcile(), 0);
  assert.ok(await made.dispatcher.where(lost));
  made.clock.time += 11_000;
  await made.reconcile();
  const expired = await made.service.get(late.id);
  assert.deepEqual([expired.state, expired.error?.code], ['cancelled', 'JOB_EXPIRED']);

  // As if the process had died between the record and its event: no event, marker still there.
  const { state: _, ...ended } = await made.records.get(lost.id);
  await made.jobs.put({
    id: `job/${lost.id}`,
    revision: ended.revision,
    state: 'cancelled',
    value: { ...ended, revision: undefined },
  });
  await made.reconcile();
  await made.reconcile();
  const states = (await made.service.events(lost.id)).map(({ data }) => (data as { state: string }).state);
  assert.deepEqual(states, ['queued', 'cancelled']);
  assert.equal(await made.jobs.get(openKey(lost.id)), undefined);
});

test('a queue that is away does not refuse a job, and the reconciler brings it in later', async () => {
  const made = memoryService();
  const away = new RetortError('QUEUE_UNAVAILABLE', 'gone');
  const add = made.dispatcher.add;
  made.dispatcher.add = () => Promise.reject(away);
  const job = await made.service.create(someDraft());
  assert.equal(job.state, 'queued');
  assert.deepEqual(made.troubles, [away]);
  made.dispatcher.add = add;
  assert.equal(await made.reconcile(), 1);
});

test('retry makes a new job of a failed one, with its inputs and settled spec', async () => {
  const made = memoryService();
  const job = await made.service.create(someDraft());
  await assert.rejects(made.service.retry(job.id), code('JOB_STATE'));
  await made.service.cancel(job.id);
  const again = await made.service.retry(job.id);
  assert.notEqual(again.id, job.id);
  assert.deepEqual([again.retryOf, again.state, again.attempt], [job.id, 'queued', 0]);
  assert.deepEqual(again.inputs, job.inputs);
});

test('an owner has at most so many open jobs', async () => {
  const made = memoryService({ maxOpen: 2 });
  await made.service.create(someDraft());
  const second = await made.service.create(someDraft());
  await assert.rejects(made.service.create(someDraft()), code('RATE_LIMITED'));
  await made.service.create(someDraft({ owner: 'another' }));
  await made.service.cancel(second.id);
  await made.service.create(someDraft());
});

test('a contradiction in the spec is told before anything is accepted', async () => {
  const made = memoryService();
  const requested = { version: 1, train: { epochs: 1, steps: 1 } } as const;
  await assert.rejects(made.service.create(someDraft({ requested })), code('SPEC_INVALID'));
  assert.deepEqual(await made.records.open(), []);
});

test('a job in a queue without workers is moved after a while, or ended where it may run nowhere else', async () => {
  const made = memoryService();
  made.dispatcher.where = async () => 'cuda';
  const free = await made.service.create(someDraft());
  const bound = await made.service.create(
    someDraft({ requested: parseSpec({ version: 1, train: { device: 'cuda' } }) }),
  );
  await made.reconcile();
  made.clock.time += 60_000;
  await made.reconcile();
  assert.equal((await made.service.get(free.id)).dispatch, 1);
  made.clock.time += 61_000;
  await made.reconcile();
  const [moved, ended] = [await made.service.get(free.id), await made.service.get(bound.id)];
  assert.deepEqual([moved.state, moved.dispatch], ['queued', 2]);
  assert.deepEqual([ended.state, ended.error?.code], ['failed', 'RUNTIME_UNAVAILABLE']);
  made.dispatcher.workers = async () => [{ name: 'w', slots: { cpu: 1, cuda: 1 } }];
  made.clock.time += 200_000;
  await made.reconcile();
  assert.equal((await made.service.get(free.id)).dispatch, 2);
});

test('one job that cannot be looked at does not keep the others from being put back', async () => {
  const made = memoryService();
  const [first, second] = [await made.service.create(someDraft()), await made.service.create(someDraft())];
  for (const job of [first, second]) await made.dispatcher.remove(job);
  const find = made.records.find.bind(made.records);
  made.records.find = async (id) => {
    if (id === first.id) throw new RetortError('STORE_CORRUPT', 'damaged');
    return find(id);
  };
  assert.equal(await made.reconcile(), 1);
  assert.ok(await made.dispatcher.where(second));
  assert.equal(made.troubles.length, 1);
});

test('saved work forgives passing failures too', async () => {
  const made = memoryService();
  const job = await made.service.create(someDraft());
  for (let dispatch = 1; dispatch <= 5; dispatch++) {
    const attempt = (await Attempt.claim({ id: job.id, dispatch }, 'w', attemptTools(made)))!;
    await attempt.saved();
    const after = await attempt.finish({ kind: 'failed', fault, retryable: true });
    assert.deepEqual([after.state, after.failures], ['queued', 1]);
  }
});

test('whoever ends a job and whoever settles it at the same moment tell its end once', async () => {
  const made = memoryService();
  for (let i = 0; i < 20; i++) {
    const job = await made.service.create(someDraft());
    const marker = await made.jobs.get(openKey(job.id));
    const ending = made.service.cancel(job.id);
    await Promise.all([ending, made.reconcile(), made.reconcile(), ending.then(made.reconcile)]);
    // As if the one that ended it had died before it took the marker away.
    await made.jobs.put({ ...marker!, revision: 0 });
    await Promise.all([made.reconcile(), made.reconcile()]);
    const states = (await made.service.events(job.id)).map(({ data }) => (data as { state: string }).state);
    assert.deepEqual(states, ['queued', 'cancelled']);
  }
});

test('whoever settles a job that is deleted meanwhile brings nothing of it back', async () => {
  for (const moment of ['before its events are read', 'after they are read']) {
    const made = memoryService();
    const job = await made.service.create(someDraft());
    // As if the one that ended it had died before it told so.
    const { state: _, revision, ...value } = job;
    await made.jobs.put({ id: jobKey(job.id), revision, state: 'cancelled', value });
    const ended = await made.records.get(job.id);
    const events = made.jobs.events.bind(made.jobs);
    made.jobs.events = async (id, after) => {
      made.jobs.events = events;
      const read = await events(id, after);
      await made.service.delete(job.id);
      return moment === 'after they are read' ? read : events(id, after);
    };
    await made.records.settle(ended);
    assert.deepEqual(await made.service.events(job.id), [], moment);
  }
});
