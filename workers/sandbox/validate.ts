import { localFacilities, localTools } from '../../src/adapters/local-tools.ts';
import type { SandboxRequestOf } from '../../src/adapters/processes/sandbox-request.ts';
import { onnxruntime } from '../../src/adapters/runtime/onnxruntime.ts';
import type { Stores } from '../../src/adapters/storage/fs-stores.ts';
import { type JobValidation, validateJob } from '../../src/pipeline/validate-job.ts';
import { resolveSpec } from '../../src/spec/resolve-spec.ts';

// Loads the native library before there is anything to do with it.
onnxruntime.devices();

export async function answer(
  { inputs, spec }: SandboxRequestOf<'validate'>,
  note: (text: string) => void,
  stores: Stores,
): Promise<JobValidation> {
  return validateJob(
    {
      upload: { stored: inputs },
      requested: spec,
      spec: resolveSpec(spec, await localFacilities(spec)),
      // Whoever wants it stopped kills the process.
      signal: new AbortController().signal,
      observer: { stage: (name) => note(name === 'decode' ? 'dataset' : 'model') },
    },
    localTools(stores),
    // Kilobytes on every system.
    () => 1024 * process.resourceUsage().maxRSS,
  );
}
