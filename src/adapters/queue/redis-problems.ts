/** What is known of a Redis; undefined where it does not tell. */
export interface RedisFacts {
  readonly version: string | undefined;
  readonly appendonly: string | undefined;
  readonly policy: string | undefined;
}

interface Wish {
  readonly setting: string;
  readonly value: (facts: RedisFacts) => string | undefined;
  readonly wanted: string;
  readonly holds: (value: string) => boolean;
  readonly how: string;
}

const MINIMUM = [6, 2] as const;
export const MINIMUM_VERSION = MINIMUM.join('.');

const wishes: readonly Wish[] = [
  {
    setting: 'version',
    value: (facts) => facts.version,
    wanted: `${MINIMUM_VERSION} or newer`,
    holds: isNewEnough,
    how: 'install a newer redis-server',
  },
  {
    setting: 'appendonly',
    value: (facts) => facts.appendonly,
    wanted: 'yes',
    holds: (value) => value === 'yes',
    // Without it a Redis that is killed forgets what it acknowledged.
    how: '`redis-cli CONFIG SET appendonly yes`, and `appendonly yes` in redis.conf',
  },
  {
    setting: 'maxmemory-policy',
    value: (facts) => facts.policy,
    wanted: 'noeviction',
    holds: (value) => value === 'noeviction',
    // With any other a full Redis drops entries of the queue and says nothing.
    how: '`redis-cli CONFIG SET maxmemory-policy noeviction`, and `maxmemory-policy noeviction` in redis.conf',
  },
];

/** What speaks against a Redis as a queue: what is wrong, and what it does not tell. One sentence each. */
export function redisProblems(facts: RedisFacts): {
  readonly wrong: readonly string[];
  readonly unknown: readonly string[];
} {
  const [wrong, unknown]: [string[], string[]] = [[], []];
  for (const { setting, value, wanted, holds, how } of wishes) {
    const found = value(facts);
    if (found === undefined) unknown.push(`${setting} cannot be read, wanted ${wanted}: ${how}`);
    else if (!holds(found)) wrong.push(`${setting} is ${found}, wanted ${wanted}: ${how}`);
  }
  return { wrong, unknown };
}

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}
