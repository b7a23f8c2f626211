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

/** What opens the stores. Only the S3 driver needs the credentials. */
const stores = /^RETORT_(DATA|STORAGE|S3_.*)$/;
const credentials = /^(AWS|S3)_/;

/** The environment of a child that opens the stores of this configuration: an allow-list of this process's. */
export function childEnvironment(
  { RETORT_STORAGE, dataFolder }: { readonly RETORT_STORAGE: string; readonly dataFolder: string },
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const passed = Object.entries(environment).filter(
    ([name]) =>
      plain.includes(name) || stores.test(name) || (RETORT_STORAGE === 's3' && credentials.test(name)),
  );
  // The working folder of the child is another, so the data folder must not be relative.
  return {
    ...(Object.fromEntries(passed) as Record<string, string>),
    RETORT_STORAGE,
    RETORT_DATA: dataFolder,
  };
}
