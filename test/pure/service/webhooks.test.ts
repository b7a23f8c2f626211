import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook as Verifier } from 'standardwebhooks';
import { MemoryJobs } from '../../../src/adapters/storage/memory-jobs.ts';
import type { HttpAnswer, HttpPost, HttpSender } from '../../../src/service/ports-webhook.ts';
import { checkWebhookUrl } from '../../../src/service/webhooks/check-webhook-url.ts';
import { Deliverer } from '../../../src/service/webhooks/deliverer.ts';
import { afterAttempt, schedule } from '../../../src/service/webhooks/delivery.ts';
import { deliveryIdOf, happeningOf } from '../../../src/service/webhooks/happening.ts';
import { isPublicAddress } from '../../../src/service/webhooks/public-address.ts';
import { webhookEvents } from '../../../src/service/webhooks/webhook.ts';
import { Webhooks } from '../../../src/service/webhooks/webhooks.ts';
import { ManualClock, memoryService, someDraft } from '../../support/job-draft.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;
const ok: HttpAnswer = { status: 200, error: null };
const bad: HttpAnswer = { status: 500, error: null };

/** A receiver whose answers the test decides; the real sender is tested over real connections. */
class Receiver implements HttpSender {
  readonly posts: HttpPost[] = [];
  answer: (post: HttpPost) => HttpAnswer | Promise<HttpAnswer> = () => ok;

  async post(post: HttpPost): Promise<HttpAnswer> {
    this.posts.push(post);
    return this.answer(post);
  }
}

function setUp() {
  const jobs = new MemoryJobs();
  const clock = new ManualClock();
  clock.time = Date.now();
  const receiver = new Receiver();
  const troubles: unknown[] = [];
  const webhooks = new Webhooks({ jobs, clock, allowPrivate: false });
  const deliverer = () =>
    new Deliverer({
      jobs,
      clock,
      sender: receiver,
      userAgent: 'retort/test',
      onTrouble: (error) => void troubles.push(error),
      random: () => 0.5,
    });
  const happening = (job = 'd_1', occurrence = '1.1') => ({
    job,
    occurrence,
    at: clock.time,
    data: { id: job },
  });
  const all = { limit: 100 };
  return { jobs, clock, receiver, webhooks, deliverer, happening, troubles, all };
}
const url = 'https://example.com/hook';

test('private, loopback, link-local, reserved and embedded addresses are not public', () => {
  const refused = [
    ...['127.0.0.1', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'],
    ...['0.1.2.3', '224.0.0.1', '255.255.255.255', '240.0.0.1', '192.0.2.1', '198.18.0.1', '192.88.99.1'],
    ...['::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '64:ff9b::7f00:1', '2002:7f00:1::'],
    ...['fe80::1', 'fc00::1', 'fd12::1', 'ff02::1', '2001:db8::1', '100::1', '4000::1', 'localhost', ''],
  ];
  for (const address of refused) assert.equal(isPublicAddress(address), false, address);
  for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111'])
    assert.equal(isPublicAddress(address), true, address);
});

test('a webhook to a private host, without http or with credentials is refused when it is made', () => {
  const refused = [
    ...['http://127.0.0.1/', 'http://2130706433/', 'http://0x7f.1/', 'http://127.1/', 'http://[::1]:8080/'],
    ...['http://[::ffff:10.0.0.1]/', 'http://localhost/', 'http://LOCALHOST./', 'http://a.localhost/'],
    ...[
      'http://redis:6379/',
      'http://metadata.google.internal/',
      'http://printer.local/',
      'http://169.254.169.254/',
    ],
    ...[
      'ftp://example.com/',
      'file:///etc/passwd',
      'javascript:0',
      'example.com',
      '',
      'https://u:p@example.com/',
    ],
    ...['https://u@example.com/'],
  ];
  for (const text of refused)
    assert.throws(() => checkWebhookUrl(text, false), code('REQUEST_INVALID'), text);
  assert.equal(checkWebhookUrl('https://Example.com:8443/a?b=c#d', false), 'https://example.com:8443/a?b=c');
  assert.equal(checkWebhookUrl('http://8.8.8.8/', false), 'http://8.8.8.8/');
  assert.equal(checkWebhookUrl('http://localhost:1/', true), 'http://localhost:1/');
  assert.throws(() => checkWebhookUrl('http://u:p@localhost/', true), code('REQUEST_INVALID'));
});

test('waits grow as documented, within a fifth; the eighth failure is the last', async () => {
  const { webhooks, happening, all } = setUp();
  const webhook = await webhooks.create('local', { url });
  await webhooks.enqueue('local', 'distillation.failed', happening());
  const [fresh] = await webhooks.deliveries('local', webhook.id, all);
  const attempt = { at: 1000, milliseconds: 0, ...bad };
  for (const [chance, factor] of [
    [0, 0.8],
    [0.5, 1],
    [1, 1.2],
  ] as const) {
    let delivery = fresh!;
    for (const wait of schedule) {
      delivery = afterAttempt(delivery, attempt, chance);
      assert.equal(delivery.nextAttemptAt, 1000 + Math.round(wait * factor));
      assert.equal(delivery.state, 'pending');
    }
    delivery = afterAttempt(delivery, attempt, chance);
    assert.deepEqual(
      [delivery.state, delivery.nextAttemptAt, delivery.attempts.length],
      ['given-up', null, 8],
    );
  }
  for (const status of [200, 204, 299])
    assert.equal(afterAttempt(fresh!, { ...attempt, status }, 0).state, 'delivered');
  for (const status of [199, 301, 302, 304, 400, 410, 500, null])
    assert.equal(afterAttempt(fresh!, { ...attempt, status }, 0).state, 'pending', `${status}`);
});

test('an event goes to the webhooks of its owner that want it, once however often it is told', async () => {
  const { webhooks, receiver, deliverer, happening, clock, all } = setUp();
  const every = await webhooks.create('anna', { url });
  const failures = await webhooks.create('anna', { url, events: ['distillation.failed'] });
  const foreign = await webhooks.create('bob', { url });
  const told = happening();
  await Promise.all([1, 2, 3].map(() => webhooks.enqueue('anna', 'distillation.paused', told)));
  await deliverer().tick();
  clock.time += 1000;
  await webhooks.enqueue('anna', 'distillation.paused', told);
  await deliverer().tick();
  assert.equal(receiver.posts.length, 1);
  await webhooks.enqueue('anna', 'distillation.paused', happening('d_1', '2.2'));
  await webhooks.enqueue('anna', 'distillation.failed', happening());
  await deliverer().tick();
  assert.equal(receiver.posts.length, 4);
  const counts = await Promise.all([
    webhooks.deliveries('anna', every.id, all),
    webhooks.deliveries('anna', failures.id, all),
    webhooks.deliveries('bob', foreign.id, all),
  ]);
  assert.deepEqual(
    counts.map(({ length }) => length),
    [3, 1, 0],
  );
  await assert.rejects(webhooks.get('bob', every.id), code('NOT_FOUND'));
  await assert.rejects(webhooks.deliveries('bob', every.id, all), code('NOT_FOUND'));
});

test('states of jobs become events; repeated tellings of one state have one id', async () => {
  const { service } = memoryService();
  const created = await service.create(someDraft());
  assert.equal(happeningOf(created, 0), undefined);
  const cancelled = await service.cancel(created.id);
  const [first, second] = [happeningOf(cancelled, 5)!, happeningOf(cancelled, 9)!];
  assert.equal(first.event, 'distillation.cancelled');
  assert.equal((first.happening.data as { state: string }).state, 'cancelled');
  const idOf = ({ event, happening }: typeof first, webhook = 'wh_1') =>
    deliveryIdOf(webhook, event, happening);
  assert.equal(idOf(first), idOf(second));
  assert.notEqual(idOf(first), idOf(first, 'wh_2'));
  assert.match(idOf(first), /^[0-9A-HJKMNP-TV-Z]{26}$/);
  const told = (['running', 'pausing', 'paused', 'cancelling', 'succeeded', 'failed'] as const).map(
    (state) => happeningOf({ ...created, state }, 0)?.event,
  );
  assert.deepEqual(
    told.filter((event) => event),
    webhookEvents.filter((event) => event !== 'distillation.cancelled'),
  );
});

test('a message is signed anew in each attempt, under one id, and the package of the standard verifies it', async () => {
  const { webhooks, receiver, deliverer, happening, clock, all, jobs } = setUp();
  const webhook = await webhooks.create('local', { url });
  await webhooks.enqueue('local', 'distillation.succeeded', happening());
  receiver.answer = () => bad;
  await deliverer().tick();
  clock.time += 4999;
  await deliverer().tick();
  assert.equal(receiver.posts.length, 1, 'not due yet');
  receiver.answer = () => ok;
  clock.time += 1;
  await deliverer().tick();
  const verifier = new Verifier(webhook.secret);
  assert.equal(receiver.posts.length, 2);
  for (const { headers, body, url: to } of receiver.posts) {
    assert.equal(to, url);
    const payload = verifier.verify(body, headers) as { type: string; data: { id: string } };
    assert.deepEqual([payload.type, payload.data.id], ['distillation.succeeded', 'd_1']);
    assert.throws(() => verifier.verify(`${body} `, headers));
    assert.throws(() => new Verifier(`whsec_${btoa('another')}`).verify(body, headers));
  }
  const [one, two] = receiver.posts.map(({ headers }) => headers);
  assert.equal(one!['webhook-id'], two!['webhook-id']);
  assert.notEqual(one!['webhook-timestamp'], two!['webhook-timestamp']);
  const [delivery] = await webhooks.deliveries('local', webhook.id, all);
  assert.equal(delivery!.state, 'delivered');
  assert.deepEqual(
    delivery!.attempts.map(({ status }) => status),
    [500, 200],
  );
  assert.deepEqual(await jobs.list({ prefix: 'due/' }), []);
});

test('two processes that deliver at once make each attempt once', async () => {
  const { webhooks, receiver, deliverer, happening, clock } = setUp();
  for (let hook = 0; hook < 5; hook++) await webhooks.create('local', { url });
  for (let job = 0; job < 10; job++)
    await webhooks.enqueue('local', 'distillation.failed', happening(`d_${job}`));
  const both = [deliverer(), deliverer()];
  await Promise.all([...both, ...both].map((each) => each.tick()));
  for (let more = 0; more < 5; more++) await Promise.all(both.map((each) => each.tick()));
  assert.equal(receiver.posts.length, 50);
  assert.equal(new Set(receiver.posts.map(({ headers }) => headers['webhook-id'])).size, 50);
  clock.time += 60_000;
  await both[0]!.tick();
  assert.equal(receiver.posts.length, 50);
});

test('a delivery whose sender died is made again when the claim has run out', async () => {
  const { webhooks, receiver, deliverer, happening, clock } = setUp();
  await webhooks.create('local', { url });
  await webhooks.enqueue('local', 'distillation.failed', happening());
  receiver.answer = () => new Promise(() => {});
  void deliverer().tick();
  while (receiver.posts.length === 0) await new Promise(setImmediate);
  receiver.answer = () => ok;
  clock.time += 29_000;
  await deliverer().tick();
  assert.equal(receiver.posts.length, 1);
  clock.time += 1000;
  await deliverer().tick();
  await deliverer().tick();
  assert.equal(receiver.posts.length, 2);
  assert.equal(receiver.posts[0]!.headers['webhook-id'], receiver.posts[1]!.headers['webhook-id']);
});

test('webhooks that hang or fail hold up no other, not even when there are more than may be sent to at once', async () => {
  const { webhooks, receiver, deliverer, happening, clock } = setUp();
  const release: (() => void)[] = [];
  receiver.answer = ({ url: to }) =>
    to.includes('hang') ? new Promise((resolve) => release.push(() => resolve(bad))) : ok;
  for (let hook = 0; hook < 20; hook++) await webhooks.create('anna', { url: 'https://hang.example.com/' });
  for (let job = 0; job < 3; job++)
    await webhooks.enqueue('anna', 'distillation.failed', happening(`d_${job}`));
  clock.time += 10;
  await webhooks.create('bob', { url });
  await webhooks.enqueue('bob', 'distillation.failed', happening());
  const one = deliverer();
  const bobs = () => receiver.posts.filter((post) => post.url === url).length;
  for (let tick = 0; tick < 2; tick++) {
    clock.time += 1;
    const ticking = one.tick();
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
    for (const each of release.splice(0)) each();
    await ticking;
  }
  assert.equal(bobs(), 1);
});

test('at the end what is being sent is finished, and the rest is left to others', async () => {
  const { webhooks, receiver, deliverer, happening } = setUp();
  await webhooks.create('local', { url });
  for (let job = 0; job < 3; job++)
    await webhooks.enqueue('local', 'distillation.failed', happening(`d_${job}`));
  const one = deliverer();
  let ended: Promise<void> | undefined;
  receiver.answer = async () => {
    ended ??= one.idle();
    await new Promise(setImmediate);
    return ok;
  };
  await one.tick();
  await ended;
  await one.tick();
  assert.equal(receiver.posts.length, 1);
  receiver.answer = () => ok;
  await deliverer().tick();
  assert.equal(receiver.posts.length, 3);
});

test('redeliver sends again what was delivered or given up, under the same id and with all its attempts', async () => {
  const { webhooks, receiver, deliverer, happening, clock, all, jobs } = setUp();
  const webhook = await webhooks.create('local', { url });
  await webhooks.enqueue('local', 'distillation.failed', happening());
  receiver.answer = () => bad;
  const one = deliverer();
  for (const wait of [0, ...schedule]) {
    clock.time += wait;
    await one.tick();
  }
  const [lost] = await webhooks.deliveries('local', webhook.id, all);
  assert.deepEqual([lost!.state, lost!.attempts.length, receiver.posts.length], ['given-up', 8, 8]);
  assert.deepEqual(await jobs.list({ prefix: 'due/' }), []);
  receiver.answer = () => ok;
  const again = await Promise.all([1, 2].map(() => webhooks.redeliver('local', webhook.id, lost!.id)));
  assert.deepEqual(
    again.map(({ state, round }) => [state, round]),
    [
      ['pending', 2],
      ['pending', 2],
    ],
  );
  await one.tick();
  await one.tick();
  const [made] = await webhooks.deliveries('local', webhook.id, all);
  assert.deepEqual([made!.state, made!.attempts.length, receiver.posts.length], ['delivered', 9, 9]);
  await webhooks.redeliver('local', webhook.id, lost!.id);
  await one.tick();
  assert.equal(receiver.posts.length, 10);
  assert.equal(new Set(receiver.posts.map(({ headers }) => headers['webhook-id'])).size, 1);
  assert.deepEqual(await jobs.list({ prefix: 'due/' }), []);
  await assert.rejects(webhooks.redeliver('local', webhook.id, 'nothing'), code('NOT_FOUND'));
  await assert.rejects(webhooks.redeliver('other', webhook.id, lost!.id), code('NOT_FOUND'));
});

test('a deleted webhook takes its deliveries with it and is told nothing more', async () => {
  const { webhooks, receiver, deliverer, happening, jobs } = setUp();
  const webhook = await webhooks.create('local', { url });
  await webhooks.enqueue('local', 'distillation.failed', happening());
  await webhooks.delete('local', webhook.id);
  await deliverer().tick();
  assert.deepEqual([receiver.posts.length, await jobs.list()], [0, []]);
  await assert.rejects(webhooks.delete('local', webhook.id), code('NOT_FOUND'));
});

test('what a process that died between two writes left behind is settled', async () => {
  const { webhooks, receiver, deliverer, happening, clock, jobs, troubles } = setUp();
  const webhook = await webhooks.create('local', { url });
  const marker = { webhook: webhook.id, delivery: 'D', round: 1, at: clock.time };
  await jobs.put({ id: 'due/D.1', revision: 0, state: 'due', value: marker });
  await webhooks.enqueue('local', 'distillation.failed', happening());
  await deliverer().tick();
  assert.equal(receiver.posts.length, 1);
  assert.ok(await jobs.get('due/D.1'), 'its delivery may still be on the way');
  // The webhook is gone, its deliveries are not: died while deleting.
  await webhooks.enqueue('local', 'distillation.failed', happening('d_2'));
  await jobs.delete(`webhook/local/${webhook.id}`);
  clock.time += 3_600_001;
  await deliverer().tick();
  assert.equal(receiver.posts.length, 1);
  assert.deepEqual(await jobs.list({ prefix: 'due/' }), []);
  assert.deepEqual(troubles, []);
});

test('an error of the store is told and the delivery is made later', async () => {
  const { webhooks, receiver, deliverer, happening, clock, jobs, troubles, all } = setUp();
  const webhook = await webhooks.create('local', { url });
  await webhooks.enqueue('local', 'distillation.failed', happening());
  const away = () => Promise.reject(new Error('the disk is away'));
  for (const call of ['list', 'put'] as const) {
    const whole = jobs[call];
    Object.assign(jobs, { [call]: away });
    await deliverer().tick();
    Object.assign(jobs, { [call]: whole });
  }
  assert.deepEqual(
    [String(troubles), receiver.posts.length],
    ['Error: the disk is away,Error: the disk is away', 0],
  );
  clock.time += 1;
  await deliverer().tick();
  assert.equal(receiver.posts.length, 1);
  assert.equal((await webhooks.deliveries('local', webhook.id, all))[0]!.state, 'delivered');
});

test('an owner has at most twenty webhooks', async () => {
  const { webhooks } = setUp();
  for (let made = 0; made < 20; made++) await webhooks.create('local', { url });
  await assert.rejects(webhooks.create('local', { url }), code('RATE_LIMITED'));
  await webhooks.create('other', { url });
});
