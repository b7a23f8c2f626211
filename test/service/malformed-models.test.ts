import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fleet } from '../chaos/fleet.ts';
import { sendMalformed } from '../chaos/malformed.ts';
import { noRedis } from '../support/redis.ts';

test('P7: damaged models sent to the API are answered one and all, and the API stays small', {
  skip: noRedis ?? false,
}, async () => {
  const fleet = await Fleet.start(0);
  try {
    const result = await sendMalformed(fleet, 30);
    assert.deepEqual([result.sent, result.wrong], [30, []]);
    if (result.peakBytes !== null) assert.ok(result.peakBytes < 300 * 2 ** 20, `${result.peakBytes} bytes`);
    assert.equal((await fetch(`${fleet.url}/healthz`)).status, 200);
  } finally {
    await fleet.stop();
  }
});
