export interface Sampling {
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  /** The cubic kernel's coefficient a. */
  readonly cubic: number;
  /** Whether taps beyond the edge are left out, the others made up to one; else the edge stands for them. */
  readonly excludeOutside: boolean;
}

/**
 * Weights [to, from] by which one axis is resized. In single precision where it decides between two neighbours, as
 * onnxruntime has it. https://onnx.ai/onnx/operators/onnx__Resize.html
 */
export function axisWeights(from: number, to: number, scale: number, sampling: Sampling): Float32Array {
  const weights = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const taps = tapsAt(sourceOf(i, from, to, scale, sampling.coordinates), from, sampling);
    const total = sampling.excludeOutside ? taps.reduce((sum, [, weight]) => sum + weight, 0) : 1;
    for (const [at, weight] of taps) {
      const place = i * from + Math.min(from - 1, Math.max(0, at));
      weights[place] = weights[place]! + weight / total;
    }
  }
  return weights;
}

/** Where element i of the result lies among those of the input. */
function sourceOf(i: number, from: number, to: number, scale: number, coordinates: string): number {
  const half = Math.fround(Math.fround((i + 0.5) / scale) - 0.5);
  if (coordinates === 'asymmetric') return Math.fround(i / scale);
  if (coordinates === 'align_corners') return to === 1 ? 0 : Math.fround((i * (from - 1)) / (to - 1));
  if (coordinates === 'pytorch_half_pixel') return to === 1 ? 0 : half;
  if (coordinates !== 'half_pixel_symmetric') return half;
  const adjusted = to / (scale * from);
  return Math.fround((from / 2) * (1 - adjusted) + half);
}

type Tap = readonly [at: number, weight: number];

function tapsAt(source: number, from: number, { mode, nearest, cubic, excludeOutside }: Sampling): Tap[] {
  if (mode === 'nearest') return [[rounded(source, nearest), 1]];
  if (mode === 'linear') {
    const inside = Math.min(from - 1, Math.max(0, source));
    const low = Math.floor(inside);
    return [
      [low, 1 - (inside - low)],
      [low + 1, inside - low],
    ];
  }
  const low = Math.floor(source);
  const taps = [-1, 0, 1, 2].map((k): Tap => [low + k, cubicWeight(Math.abs(source - low - k), cubic)]);
  return excludeOutside ? taps.filter(([at]) => at >= 0 && at < from) : taps;
}

function rounded(source: number, mode: string): number {
  if (mode === 'floor') return Math.floor(source);
  if (mode === 'ceil') return Math.ceil(source);
  return mode === 'round_prefer_ceil' ? Math.floor(source + 0.5) : Math.ceil(source - 0.5);
}

/** Keys' kernel at distance d. */
function cubicWeight(d: number, a: number): number {
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}
