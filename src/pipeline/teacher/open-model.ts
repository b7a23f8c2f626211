import { checkModel } from '../../core/onnx/check.ts';
import { decodeModel } from '../../core/onnx/decode.ts';
import { encodeModel } from '../../core/onnx/encode.ts';
import { resolveExternalData, withPlainLocations } from '../../core/onnx/external-data.ts';
import { inferShapes } from '../../core/onnx/infer-shapes.ts';
import type { Model } from '../../core/onnx/model.ts';
import { RetortError } from '../../errors.ts';
import type { Runtime } from '../ports.ts';

/** A model of the user's with its external data in memory, once runtime, specification and shapes have nothing against it. */
export async function openModel(
  bytes: Uint8Array,
  files: ReadonlyMap<string, Uint8Array>,
  runtime: Runtime,
): Promise<Model> {
  const sent = decodeModel(bytes);
  const plain = withPlainLocations(sent);
  const model = resolveExternalData(plain, files);
  const found: RetortError[] = [];
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof RetortError)) throw error;
      found.push(error);
    }
  };
  // The runtime first: it knows every operator, and names those it does not have.
  await attempt(async () => {
    const readable = plain === sent ? bytes : encodeModel(plain);
    const session = await runtime.open(readable, { device: 'cpu', threads: 1, externalData: files });
    await session.close();
  });
  const problems = checkModel(model);
  for (const { code, where, message } of problems) found.push(new RetortError(code, `${where}: ${message}`));
  await attempt(() => inferShapes(model));

  const [first] = found;
  if (!first) return model;
  const more = found.length > 1 ? ` (and ${found.length - 1} more problems)` : '';
  throw new RetortError(first.code, `${first.message}${more}`, {
    problems: found.map((error) => `${error.code}: ${error.message}`),
    facts: first.facts,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  });
}
