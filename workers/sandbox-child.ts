import { diskFolder } from '../src/adapters/files/disk-folder.ts';
import { localFacilities, localTools, type Stores } from '../src/adapters/local-tools.ts';
import { answerRequest } from '../src/adapters/processes/answer-request.ts';
import type { SandboxRequest } from '../src/adapters/processes/sandbox-request.ts';
import { FsBlobs } from '../src/adapters/storage/fs-blobs.ts';
import { FsJobs } from '../src/adapters/storage/fs-jobs.ts';
import { type Config, readConfig } from '../src/config.ts';
import type { DatasetCard } from '../src/data/card.ts';
import { inspectDataset } from '../src/data/inspect-dataset.ts';
import { inspectModel, type ModelInspection } from '../src/pipeline/inspect-model.ts';
import { companionsOf } from '../src/pipeline/stages/inspect.ts';
import { type JobValidation, validateJob } from '../src/pipeline/validate-job.ts';
import { resolveSpec } from '../src/spec/resolve-spec.ts';

/** The process behind a ProcessSandbox: opens what users send, once, and is thrown away. */

type Note = (text: string) => void;

const storesOf = ({ dataFolder }: Config): Stores => ({
  blobs: new FsBlobs(dataFolder),
  jobs: new FsJobs(dataFolder),
});

const tools = localTools(storesOf(readConfig(process.env)));
const { blobs, runtime, pictures } = tools;
// Loads the native library before there is anything to do with it.
const facilities = localFacilities();

answerRequest<SandboxRequest>((request, note) => {
  switch (request.kind) {
    case 'inspect-model':
      return modelOf(request, note);
    case 'inspect-dataset':
      return datasetOf(request, note);
    case 'validate':
      return validationOf(request, note);
  }
});

type Asked<K extends SandboxRequest['kind']> = Extract<SandboxRequest, { readonly kind: K }>;

async function modelOf({ model, companions }: Asked<'inspect-model'>, note: Note): Promise<ModelInspection> {
  note('model');
  return inspectModel(await blobs.get(model.hash), await companionsOf(companions, { blobs }), runtime);
}

async function datasetOf({ data, format }: Asked<'inspect-dataset'>, note: Note): Promise<DatasetCard> {
  note('dataset');
  const files = await Promise.all(
    data.map(async ({ hash, name }) => ({ ...(await blobs.source(hash)), name })),
  );
  return inspectDataset({
    files,
    // The working folder is this process's own and goes with it.
    folder: await diskFolder('decoded'),
    decoder: pictures,
    ...(format === undefined ? {} : { format }),
  });
}

async function validationOf({ inputs, spec }: Asked<'validate'>, note: Note): Promise<JobValidation> {
  return validateJob(
    {
      upload: { stored: inputs },
      requested: spec,
      spec: resolveSpec(spec, facilities),
      signal: new AbortController().signal,
      observer: { stage: (name) => note(name === 'decode' ? 'dataset' : 'model') },
    },
    tools,
    // Kilobytes on every system.
    () => 1024 * process.resourceUsage().maxRSS,
  );
}
