import { type StoreSettings, storeSettings } from '../storage/index.ts';

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
  'SystemRoot',
  'TEMP',
  'TMP',
];

/** What the engines read: devices, threads. */
const engines = /^(CUDA|NVIDIA|TF|OMP)_/;

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
    ([name]) =>
      plain.includes(name) ||
      engines.test(name) ||
      (config.RETORT_STORAGE === 's3' && credentials.test(name)),
  );
  const stores = JSON.stringify(config, [...storeSettings]);
  return { ...(Object.fromEntries(passed) as Record<string, string>), [STORES]: stores };
}
