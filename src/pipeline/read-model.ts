import { checkModel } from '../core/onnx/check.ts';
import { decodeModel } from '../core/onnx/decode.ts';
import { resolveExternalData } from '../core/onnx/external-data.ts';
import { inferShapes } from '../core/onnx/infer-shapes.ts';
import type { Model } from '../core/onnx/model.ts';
import { RetortError } from '../errors.ts';

/** A model of the user's with its external data in memory; every problem of the file, not the first. */
export function readModel(bytes: Uint8Array, files: ReadonlyMap<string, Uint8Array>): Model {
  const model = decodeModel(bytes);
  const problems = checkModel(model);
  if (problems.length > 0) {
    const [first] = problems;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more problems)` : '';
    throw new RetortError(first!.code, `${first!.where}: ${first!.message}${more}`, {
      problems: problems.map(({ where, message }) => `${where}: ${message}`),
    });
  }
  const whole = resolveExternalData(model, files);
  inferShapes(whole);
  return whole;
}
