import type { Report } from '../../pipeline/report/report.ts';
import { runJourney } from '../../pipeline/run.ts';
import type { CliIo } from '../command.ts';
import type { DistillOptions } from './distill-options.ts';
import { localJob, storeIn } from './local-job.ts';
import { prepareFolder } from './prepare-folder.ts';
import { printVerdict } from './print-verdict.ts';
import { writeWhole } from './write-whole.ts';

/** The whole journey in this process. */
export async function distillHere(options: DistillOptions & { out: string }, io: CliIo): Promise<void> {
  const { out } = options;
  await localJob(options, options.store ?? storeIn(out), io, async (request, tools) => {
    await prepareFolder(out);
    const { blobs } = tools;
    const { publish } = await runJourney(request, tools);
    for (const { name, hash } of publish.artifacts) await writeWhole(out, name, blobs.stream(hash));
    const report = publish.artifacts.find((artifact) => artifact.name === 'report.json')!;
    const text = new TextDecoder().decode(await blobs.get(report.hash));
    printVerdict(JSON.parse(text) as Report, io, { out, files: publish.artifacts.length });
  });
}
