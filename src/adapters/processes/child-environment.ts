import type { StoreSettings } from '../storage/index.ts';

/** Variables a child needs to run at all, wherever it looks for them. No tokens, no keys of the API. */
const plain = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TZ',
  'LANG',
  'LC_ALL',
  'NODE_ENV',
  'NODE_OPTIONS',
  'NODE_PATH',
  'NODE_EXTRA_CA_CERTS',
  'NODE_V8_COVERAGE',
  'LD_LIBRARY_PATH',
  'CUDA_VISIBLE_DEVICES',
  'NVIDIA_VISIBLE_DEVICES',
  'SystemRoot',
  'TEMP',
  'TMP',
];

/** Only the S3 driver needs them. */
const credentials = /^AWS_/;

/** Variable with the settings that say how the stores are opened, as JSON: checked by the parent, read by the child. */
export const STORES = 'RETORT_CHILD_STORES';

/** The environment of a child that opens the stores of this configuration: an allow-list of this process's. */
export function childEnvironment(
  config: StoreSettings,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const passed = Object.entries(environment).filter(
    ([name]) => plain.includes(name) || (config.RETORT_STORAGE === 's3' && credentials.test(name)),
  );
  const {
    RETORT_STORAGE,
    RETORT_S3_BUCKET,
    RETORT_S3_PREFIX,
    RETORT_S3_ENDPOINT,
    RETORT_S3_REGION,
    RETORT_S3_CACHE_BYTES,
    dataFolder,
  } = config;
  const stores: StoreSettings = {
    RETORT_STORAGE,
    RETORT_S3_BUCKET,
    RETORT_S3_PREFIX,
    RETORT_S3_ENDPOINT,
    RETORT_S3_REGION,
    RETORT_S3_CACHE_BYTES,
    dataFolder,
  };
  return { ...(Object.fromEntries(passed) as Record<string, string>), [STORES]: JSON.stringify(stores) };
}
