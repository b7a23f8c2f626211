import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import Type, { type Static } from 'typebox';
import { Check, Convert, Default, Errors } from 'typebox/value';
import { RetortError } from './errors.ts';

const { MiB, GiB } = { MiB: 2 ** 20, GiB: 2 ** 30 };
const integer = (fallback: number, description: string, minimum = 0, maximum = Number.MAX_SAFE_INTEGER) =>
  Type.Integer({ default: fallback, minimum, maximum, description });
/** Longer times than about 24 days are none that timers know: they would be over at once. */
const seconds = (fallback: number, description: string, minimum = 0) =>
  integer(fallback, description, minimum, 2_000_000);
const text = (fallback: string, description: string) => Type.String({ default: fallback, description });
const oneOf = <T extends string>(names: readonly T[], fallback: T, description: string) =>
  Type.Enum([...names], { default: fallback, description });

/** Every setting of the service, by its environment variable. `.env.example` is generated from it. */
export const Settings = Type.Object({
  RETORT_DATA: text(
    'retort-data',
    'Folder of everything the service keeps: files, records, a private Redis.',
  ),
  RETORT_HOST: text('127.0.0.1', 'Address the API listens on. Other than loopback it demands API keys.'),
  RETORT_PORT: integer(8080, 'Port the API listens on; 0 takes a free one.'),
  RETORT_AUTH: oneOf(['auto', 'keys', 'off'], 'auto', 'API keys: auto demands them off loopback.'),
  RETORT_TRUST_PROXY: text(
    '',
    'Addresses of reverse proxies, comma-separated CIDRs, whose headers are believed.',
  ),
  REDIS_URL: text('', 'Redis of the queue. Empty: a private redis-server is started in RETORT_DATA.'),
  RETORT_REDIS_UNCHECKED: oneOf(['0', '1'], '0', '1: use a Redis whose persistence cannot be checked.'),
  RETORT_LOG_LEVEL: oneOf(
    ['fatal', 'error', 'warn', 'info', 'debug', 'silent'],
    'info',
    'How much is logged.',
  ),

  RETORT_STORAGE: oneOf(['fs', 's3'], 'fs', 'Where blobs and records lie: RETORT_DATA, or an S3 bucket.'),
  RETORT_S3_BUCKET: text('', 'Bucket; credentials come from the usual AWS variables.'),
  RETORT_S3_PREFIX: text('', 'Put before every key.'),
  RETORT_S3_ENDPOINT: text('', 'Endpoint of an S3-compatible server; empty: AWS.'),
  RETORT_S3_REGION: text('us-east-1', 'Region.'),
  RETORT_S3_CACHE_BYTES: integer(
    32 * GiB,
    'Bytes of the bucket kept on this disk; more than the largest job needs.',
    1,
  ),

  RETORT_WORKERS: oneOf(['0', '1'], '1', '1: `retort serve` also runs a worker.'),
  RETORT_SLOTS_CPU: integer(1, 'Jobs this machine works on at the same time on the CPU.'),
  RETORT_SLOTS_CUDA: integer(1, 'The same on its CUDA device, where there is one.'),
  RETORT_FAN_OUT_SECONDS: seconds(
    20,
    'Work for the teacher that would take one worker longer is shared with workers that are free.',
  ),
  RETORT_DRAIN_SECONDS: seconds(
    60,
    'How long a job may take for a checkpoint when its worker is told to stop.',
    1,
  ),
  RETORT_HANG_SECONDS: seconds(180, 'A process that shows no sign of life for so long is killed.', 5),
  RETORT_CRASH_BUDGET: integer(5, 'Crashes in a row without progress after which a job fails.', 1),

  RETORT_MAX_UPLOAD_BYTES: integer(16 * GiB, 'Largest request body and largest resumable upload.', 1),
  RETORT_MAX_MODEL_BYTES: integer(4 * GiB, 'Largest model file.', 1),
  RETORT_MAX_SPEC_BYTES: integer(256 * 1024, 'Largest spec.', 1),
  RETORT_MIN_UPLOAD_RATE: integer(16 * 1024, 'Bytes a second below which an upload is ended.'),
  RETORT_MIN_UPLOAD_WINDOW_SECONDS: seconds(30, 'Time over which that rate is measured.', 1),
  RETORT_MIN_FREE_BYTES: integer(512 * MiB, 'Free disk space below which uploads are refused.'),

  RETORT_RATE_LIMIT: integer(1000, 'Requests a minute for each key or address.', 1),
  RETORT_MAX_OPEN_JOBS: integer(500, 'Unfinished jobs for each key.', 1),
  RETORT_MAX_UPLOADS: integer(16, 'Uploads at the same time for each key.', 1),

  RETORT_SANDBOX_SECONDS: seconds(60, 'Time a process may take to look at a model.', 1),
  RETORT_SANDBOX_DATA_SECONDS: seconds(
    900,
    'Time a process may take to look at a dataset or to validate.',
    1,
  ),
  RETORT_SANDBOX_BYTES: integer(4 * GiB, 'Memory such a process may use.', 1),

  RETORT_RETAIN_DAYS: integer(
    90,
    'Days a finished job, model or dataset is kept, where it says nothing itself.',
    1,
  ),
  RETORT_RETAIN_STAGES_DAYS: integer(7, 'Days intermediate results are kept after their last use.', 1),
  RETORT_SWEEP_SECONDS: seconds(3600, 'Time between two sweeps of what has expired.', 1),
  RETORT_SWEEP_GRACE_SECONDS: seconds(24 * 3600, 'Age below which no blob is swept.'),

  RETORT_WEBHOOK_PRIVATE: oneOf(['0', '1'], '0', '1: webhooks may go to private addresses. For tests.'),
});

export type Config = Readonly<Static<typeof Settings>> & {
  /** RETORT_DATA as an absolute path. */
  readonly dataFolder: string;
  /** That this process may use: fewer than the machine has where a container or taskset says so. */
  readonly cores: number;
};

/** The settings of an environment; SERVICE_SETUP names every one that is wrong. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.keys(Settings.properties).flatMap((name) => {
      const value = environment[name];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
  const value = Default(Settings, Convert(Settings, given)) as Static<typeof Settings>;
  if (!Check(Settings, value)) {
    const problems = [...Errors(Settings, value)].map(
      ({ instancePath, message }) => `${instancePath.slice(1)} ${message}`,
    );
    throw new RetortError('SERVICE_SETUP', `the environment is wrong: ${problems[0]}`, {
      problems,
      hint: '`.env.example` lists every variable with its meaning and default.',
    });
  }
  return Object.freeze({ ...value, dataFolder: resolve(value.RETORT_DATA), cores: availableParallelism() });
}

/** Name, meaning and default of every setting, in order. */
export const settingDescriptions: readonly {
  readonly name: string;
  readonly description: string;
  readonly fallback: string | number;
}[] = Object.entries(Settings.properties).map(([name, schema]) => {
  const { description, default: fallback } = schema as unknown as {
    readonly description: string;
    readonly default: string | number;
  };
  return { name, description, fallback };
});
