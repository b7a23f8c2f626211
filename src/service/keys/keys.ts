import { timingSafeEqual } from 'node:crypto';
import { ulid } from 'ulid';
import { RetortError } from '../../errors.ts';
import type { Clock, JobStore } from '../../pipeline/ports.ts';
import { updateRecord } from '../update-record.ts';
import { type ApiKey, type KeyLimits, type KeyValue, keyKey, type Scope } from './api-key.ts';
import { formatToken, hashSecret, newSecret, parseToken } from './token.ts';

export interface KeysTools {
  readonly jobs: JobStore;
  readonly clock: Clock;
}

export interface KeyDraft {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly limits?: KeyLimits;
}

/** What a request may count on. */
export type Identity = Pick<ApiKey, 'id' | 'name' | 'scopes' | 'limits'>;

/** How long a record is believed, from before it was read: less than the 5 s within which a revocation must work. */
const BELIEVED_MS = 3000;
const MAX_CACHED = 10_000;
/** Compared with where there is no key, so that this takes no less time. */
const NO_HASH = '0'.repeat(64);

interface Cached {
  readonly key: Promise<KeyValue | undefined>;
  readonly until: number;
}

/** The API keys: records `key/<id>`. */
export class Keys {
  readonly #tools: KeysTools;
  readonly #cache = new Map<string, Cached>();

  constructor(tools: KeysTools) {
    this.#tools = tools;
  }

  /** The token is in this answer and nowhere else. */
  async create({ name, scopes, limits = {} }: KeyDraft): Promise<{ key: ApiKey; token: string }> {
    const { jobs, clock } = this.#tools;
    if (name.trim() === '' || name.length > 200 || scopes.length === 0) {
      throw new RetortError('REQUEST_INVALID', 'an API key needs a name of 1 to 200 characters and a scope', {
        hint: 'Scopes are read, write and admin.',
      });
    }
    const id = ulid().toLowerCase();
    const secret = newSecret();
    const key: ApiKey = { id, name, scopes, limits, createdAt: clock.now(), revokedAt: null };
    const value: KeyValue = { ...key, secretHash: hashSecret(secret) };
    await jobs.put({ id: keyKey(id), revision: 0, state: 'valid', value });
    return { key, token: formatToken({ id, secret }) };
  }

  /** Whose token this is; undefined: nobody's, or revoked more than 5 s ago. */
  async verify(token: string): Promise<Identity | undefined> {
    const parsed = parseToken(token);
    if (!parsed) return undefined;
    const key = await this.#load(parsed.id);
    const given = Buffer.from(hashSecret(parsed.secret), 'hex');
    const same = timingSafeEqual(given, Buffer.from(key?.secretHash ?? NO_HASH, 'hex'));
    if (!key || !same || key.revokedAt !== null) return undefined;
    const { id, name, scopes, limits } = key;
    return { id, name, scopes, limits };
  }

  /** All of them, revoked ones too, oldest first. */
  async list(): Promise<readonly ApiKey[]> {
    const records = await this.#tools.jobs.list({ prefix: keyKey('') });
    return records.map(({ value }) => shown(value as KeyValue));
  }

  /** Ends a key: here at once, in other processes within 5 s. Revoking again changes nothing. */
  async revoke(id: string): Promise<ApiKey> {
    const { jobs, clock } = this.#tools;
    const record = await updateRecord(jobs, keyKey(id), (before) => {
      const value = before.value as KeyValue;
      if (value.revokedAt !== null) return before;
      return { ...before, state: 'revoked', value: { ...value, revokedAt: clock.now() } };
    });
    this.#cache.delete(id);
    if (!record) throw new RetortError('NOT_FOUND', `there is no API key ${id}`);
    return shown(record.value as KeyValue);
  }

  #load(id: string): Promise<KeyValue | undefined> {
    const now = this.#tools.clock.now();
    const cached = this.#cache.get(id);
    if (cached && now < cached.until) return cached.key;
    const key = this.#tools.jobs.get(keyKey(id)).then((record) => record?.value as KeyValue | undefined);
    const entry: Cached = { key, until: now + BELIEVED_MS };
    this.#cache.set(id, entry);
    const forget = (): void => {
      if (this.#cache.get(id) === entry) this.#cache.delete(id);
    };
    // Only keys that exist are remembered: made-up ids must not push them out, nor a failure last.
    key.then((found) => found ?? forget(), forget);
    if (this.#cache.size > MAX_CACHED) this.#cache.delete(this.#cache.keys().next().value!);
    return key;
  }
}

function shown({ secretHash: _, ...key }: KeyValue): ApiKey {
  return key;
}
