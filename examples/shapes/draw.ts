import { Random } from '../../src/core/random.ts';
import { shapes } from './classes.ts';

/** Pictures are SIZE x SIZE, RGB. */
export const SIZE = 24;
const SAMPLES = 2;

type Colour = readonly [number, number, number];

/**
 * One picture, uint8 [SIZE, SIZE, 3]: a bright shape of random place, size, turn, squeeze and colour over a darker, shaded
 * background with clutter and noise. The same (seed, name, index) always gives the same bytes.
 */
export function draw(name: string, seed: number, index: number): Uint8Array {
  const random = new Random(seed, name, index);
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  const colour = (low: number, high: number): Colour => [
    between(low, high),
    between(low, high),
    between(low, high),
  ];
  const [ground, shade] = [colour(10, 120), colour(10, 120)];
  const ink = colour(110, 245);
  const pose = {
    x: between(-0.3, 0.3),
    y: between(-0.3, 0.3),
    size: between(0.45, 0.75),
    turn: between(-0.6, 0.6),
    squeeze: between(0.8, 1.25),
  };
  const lines = Array.from({ length: 2 }, () => ({
    angle: between(0, Math.PI),
    offset: between(-1, 1),
    width: between(0.02, 0.07),
    colour: colour(40, 200),
  }));
  const inside = shapes[name]!;
  const [cos, sin] = [Math.cos(pose.turn), Math.sin(pose.turn)];

  const at = (x: number, y: number): Colour => {
    const [dx, dy] = [(x - pose.x) / pose.size, (y - pose.y) / pose.size];
    if (inside((cos * dx + sin * dy) * pose.squeeze, (cos * dy - sin * dx) / pose.squeeze)) return ink;
    const line = lines.find(
      (l) => Math.abs(x * Math.cos(l.angle) + y * Math.sin(l.angle) - l.offset) < l.width,
    );
    return line?.colour ?? mix(ground, shade, (x + y + 2) / 4);
  };

  const pixels = new Uint8Array(SIZE * SIZE * 3);
  for (let row = 0; row < SIZE; row++) {
    for (let column = 0; column < SIZE; column++) {
      const sum = [0, 0, 0];
      for (let s = 0; s < SAMPLES ** 2; s++) {
        const x = (2 * (column + ((s % SAMPLES) + 0.5) / SAMPLES)) / SIZE - 1;
        const y = (2 * (row + (Math.floor(s / SAMPLES) + 0.5) / SAMPLES)) / SIZE - 1;
        at(x, y).forEach((value, c) => {
          sum[c]! += value;
        });
      }
      const noise = random.normal() * 8;
      sum.forEach((value, c) => {
        const noisy = value / SAMPLES ** 2 + noise + random.normal() * 10;
        pixels[(row * SIZE + column) * 3 + c] = Math.max(0, Math.min(255, Math.round(noisy)));
      });
    }
  }
  return pixels;
}

const mix = (a: Colour, b: Colour, share: number): Colour =>
  [0, 1, 2].map((c) => a[c]! * (1 - share) + b[c]! * share) as unknown as Colour;
