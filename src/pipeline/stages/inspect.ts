import { decodeModel } from '../../core/onnx/decode.ts';
import { encodeModel } from '../../core/onnx/encode.ts';
import { modelCard } from '../model-card.ts';
import { planTeacher } from '../plan-teacher.ts';
import type { Stage } from '../stage.ts';

/** The teacher: readable, runnable, with class scores; every problem, not the first. */
export const inspect: Stage<'inspect'> = {
  name: 'inspect',
  summary: 'inspects the teacher',
  version: 1,
  key: ({ ingest }, { spec }) => ({
    teacher: ingest.teacher.hash,
    companions: ingest.companions.map(({ name, hash }) => [name, hash]),
    inputs: spec.inputs,
  }),
  async run({ ingest }, { blobs, runtime, spec }) {
    const bytes = await blobs.get(ingest.teacher.hash);
    const model = decodeModel(bytes);
    const session = await runtime.open(bytes, { device: 'cpu', threads: spec.train.threads });
    await session.close();
    const { tapped, ...plan } = planTeacher(model, spec);
    const stored = await blobs.put(encodeModel(tapped));
    return { card: modelCard(model, bytes.byteLength), plan: { ...plan, model: stored } };
  },
};
