import type { GraphBuilder } from '../onnx/builder.ts';
import { tensor } from '../onnx/tensor.ts';
import { sumOf } from './feature-shapes.ts';
import type { NumberArray, ObjectiveParts } from './features.ts';
import { linearMap, linearMapOf } from './linear-map.ts';
import { spatialMap, spatialMapOf } from './spatial-map.ts';

/** Of ReviewKD: a stage of the student joined with what came from the deeper ones. */

/** Added to variances. */
const EPSILON = 1e-5;

/**
 * Attention-based fusion: x = BN(1x1 conv(F)) of `width` channels; with a map u [B, width, h, w] of the deeper stages,
 * brought to the size of F by its nearest pixels, x becomes a_1 x + a_2 u, (a_1, a_2) = sigmoid(1x1 conv([x, u])).
 * `made` is BN(3x3 conv(x)) of `to` channels, `passed` is x, for the next stage. BN takes statistics of the batch alone:
 * nothing of it outlives training.
 */
export function fuse(
  b: GraphBuilder,
  { stage, deeper, width, to }: FusionRequest,
  own: ObjectiveParts,
  name: string,
): { readonly made: string; readonly passed: string } {
  const x = normalised(b, linearMap(b, stage, width, own, `${name}.in`), own, `${name}.in`);
  const passed = deeper === undefined ? x : mixed(b, x, deeper, own, name);
  const made = normalised(b, spatialMap(b, passed, to, own, `${name}.out`), own, `${name}.out`);
  return { made, passed };
}

interface FusionRequest {
  /** [B, C, H, W]. */
  readonly stage: string;
  readonly deeper: string | undefined;
  readonly width: number;
  readonly to: number;
}

function mixed(b: GraphBuilder, x: string, deeper: string, own: ObjectiveParts, name: string): string {
  const dims = b.dims(x);
  const same = b.dims(deeper).join() === dims.join();
  const u = same
    ? deeper
    : b.op('Resize', [deeper, '', '', b.ints(dims)], {
        mode: 'nearest',
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      });
  const scores = linearMap(b, b.op('Concat', [x, u], { axis: 1 }), 2, own, `${name}.attention`);
  const [first, second] = b.ops(
    'Split',
    [b.op('Sigmoid', [scores]), b.ints([1, 1])],
    { axis: 1 },
    { outputs: 2 },
  );
  return b.op('Add', [b.op('Mul', [x, first!]), b.op('Mul', [u, second!])]);
}

function normalised(b: GraphBuilder, x: string, own: ObjectiveParts, name: string): string {
  const channels = b.dims(x)[1]!;
  const axes = b.ints([0, 2, 3]);
  const centred = b.op('Sub', [x, b.op('ReduceMean', [x, axes])]);
  const variance = b.op('ReduceMean', [b.op('Mul', [centred, centred]), axes]);
  const unit = b.op('Div', [centred, b.op('Sqrt', [b.op('Add', [variance, b.constant(EPSILON)])])]);
  const each = (value: number) =>
    tensor('float32', [channels, 1, 1], new Array<number>(channels).fill(value));
  const scaled = b.op('Mul', [unit, own.parameter(`${name}.scale`, each(1))]);
  return b.op('Add', [scaled, own.parameter(`${name}.shift`, each(0))]);
}

/** Rows of maps as plain numbers: [rows][positions][channels], and how wide a row of pixels is. */
export interface PlainMaps {
  readonly rows: readonly (readonly (readonly number[])[])[];
  readonly width: number;
}

/** Plain-number twin of `fuse`. */
export function fuseOf(
  own: Readonly<Record<string, NumberArray>>,
  name: string,
  stage: PlainMaps,
  deeper: PlainMaps | undefined,
): { readonly made: PlainMaps; readonly passed: PlainMaps } {
  const { width } = stage;
  const into = linearMapOf(own, `${name}.in`);
  const x = normalisedOf(own, `${name}.in`, { rows: stage.rows.map((row) => row.map(into)), width });
  const passed = deeper === undefined ? x : mixedOf(own, name, x, deeper);
  const out = spatialMapOf(own, `${name}.out`);
  const made = { rows: passed.rows.map((row) => out(row, width)), width };
  return { made: normalisedOf(own, `${name}.out`, made), passed };
}

function mixedOf(
  own: Readonly<Record<string, NumberArray>>,
  name: string,
  { rows, width }: PlainMaps,
  deeper: PlainMaps,
): PlainMaps {
  const attention = linearMapOf(own, `${name}.attention`);
  const height = rows[0]!.length / width;
  const below = deeper.rows[0]!.length / deeper.width;
  const nearest = (p: number): number => {
    const y = Math.floor((Math.floor(p / width) * below) / height);
    return y * deeper.width + Math.floor(((p % width) * deeper.width) / width);
  };
  return {
    width,
    rows: rows.map((row, i) =>
      row.map((x, p) => {
        const u = deeper.rows[i]![nearest(p)]!;
        const [first, second] = attention([...x, ...u]).map((z) => 1 / (1 + Math.exp(-z))) as [
          number,
          number,
        ];
        return x.map((v, c) => first * v + second * u[c]!);
      }),
    ),
  };
}

function normalisedOf(
  own: Readonly<Record<string, NumberArray>>,
  name: string,
  { rows, width }: PlainMaps,
): PlainMaps {
  const [scale, shift] = [own[`${name}.scale`]!.data, own[`${name}.shift`]!.data];
  const all = rows.flat();
  const means = scale.map((_, c) => sumOf(all.map((at) => at[c]!)) / all.length);
  const roots = means.map((mean, c) =>
    Math.sqrt(sumOf(all.map((at) => (at[c]! - mean) ** 2)) / all.length + EPSILON),
  );
  const made = rows.map((row) =>
    row.map((at) => at.map((v, c) => ((v - means[c]!) / roots[c]!) * scale[c]! + shift[c]!)),
  );
  return { rows: made, width };
}
