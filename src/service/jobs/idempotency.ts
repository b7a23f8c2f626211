import { createHash } from 'node:crypto';
import { RetortError } from '../../errors.ts';
import type { JobStore } from '../../pipeline/ports.ts';
import { hashOf } from '../../pipeline/stage-key.ts';
import { unlessConflict } from '../unless-conflict.ts';

interface Claim {
  readonly fingerprint: string;
  /** Id of the resource that the first request made, or was about to make. */
  readonly id: string;
}

/**
 * The id of what a request makes: `fresh` for the first one with this key, the first one's id for all that repeat it.
 * The claim is written before the resource, so a request that died in between is completed by its repetition, and of
 * fifty at once all name one id. IDEMPOTENCY_MISMATCH where the key stands for another request.
 *
 * @param owner whose key it is: keys of two owners never meet
 * @param request what must be equal for two requests to be the same, as JSON
 */
export async function idempotentId(
  jobs: JobStore,
  owner: string,
  key: string,
  request: unknown,
  fresh: string,
): Promise<{ readonly id: string; readonly replayed: boolean }> {
  const record = `idempotency/${owner}/${createHash('sha256').update(key).digest('hex')}`;
  const mine: Claim = { fingerprint: hashOf(request), id: fresh };
  const written = await jobs
    .put({ id: record, revision: 0, state: 'claimed', value: mine })
    .catch(unlessConflict);
  if (written) return { id: fresh, replayed: false };
  const first = (await jobs.get(record))?.value as Claim | undefined;
  // Swept in between: it was older than any repetition may be.
  if (!first) return idempotentId(jobs, owner, key, request, fresh);
  if (first.fingerprint === mine.fingerprint) return { id: first.id, replayed: true };
  throw new RetortError(
    'IDEMPOTENCY_MISMATCH',
    'this Idempotency-Key was used for a request with another content',
    { hint: 'Use a new key for a new request; repeat the same request under the old one.' },
  );
}
