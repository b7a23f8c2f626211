/** The classes of the demo: is the point (x, y) inside the shape? Shapes fill about the unit circle around the origin. */
type Inside = (x: number, y: number) => boolean;
type Corner = readonly [number, number];

/** Corners on circles of the given radii, in turn. */
function wheel(count: number, ...radii: readonly number[]): Corner[] {
  return Array.from({ length: count }, (_, i) => {
    const angle = (2 * Math.PI * i) / count - Math.PI / 2;
    const radius = radii[i % radii.length]!;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

/** Even-odd rule. */
const polygon =
  (corners: readonly Corner[]): Inside =>
  (x, y) => {
    let inside = false;
    corners.forEach(([x1, y1], i) => {
      const [x2, y2] = corners[(i + 1) % corners.length]!;
      if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
    });
    return inside;
  };

const disc =
  (radius: number, cx = 0, cy = 0): Inside =>
  (x, y) =>
    (x - cx) ** 2 + (y - cy) ** 2 < radius ** 2;

export const shapes: Readonly<Record<string, Inside>> = {
  arrow: polygon([
    [-1, -0.28],
    [0.1, -0.28],
    [0.1, -0.75],
    [1, 0],
    [0.1, 0.75],
    [0.1, 0.28],
    [-1, 0.28],
  ]),
  crescent: (x, y) => disc(0.95)(x, y) && !disc(0.8, 0.45, 0)(x, y),
  cross: (x, y) => (Math.abs(x) < 0.3 && Math.abs(y) < 0.95) || (Math.abs(y) < 0.3 && Math.abs(x) < 0.95),
  disc: disc(0.85),
  ring: (x, y) => disc(0.95)(x, y) && !disc(0.52)(x, y),
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.75,
  star: polygon(wheel(10, 1.05, 0.45)),
  triangle: polygon(wheel(3, 1.05)),
};

export const classNames: readonly string[] = Object.keys(shapes).sort();
