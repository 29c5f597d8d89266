import type { Point, Size } from "./types.ts";

export interface Rect extends Size { x: number; y: number }

/** Where a picture lies inside its box when it is shown whole (object-fit: contain), in pixels. */
export function pictureRect(box: Size, picture: Size): Rect {
  const scale = Math.min(box.width / picture.width, box.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { x: (box.width - width) / 2, y: (box.height - height) / 2, width, height };
}

/** Within the picture, to a hundredth of a pixel of a large one. */
const clamp01 = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * 1e6) / 1e6;

export function clampPoint([x, y]: Point): Point {
  return [clamp01(x), clamp01(y)];
}

/** Moves all points together, as far as the picture's edges let every one of them. */
export function movePoints(points: readonly Point[], dx: number, dy: number): Point[] {
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const x = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), dx));
  const y = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), dy));
  return points.map(([px, py]): Point => clampPoint([px + x, py + y]));
}

export const toPixels = ([x, y]: Point, size: Size): Point => [x * size.width, y * size.height];

export function distance(a: Point, b: Point): number {
  return Math.hypot(b[0] - a[0], b[1] - a[1]);
}

export interface Arrow { from: Point; to: Point; degrees: number }

/**
 * The arrow of the forward direction in pixels: from the middle of the path, to the right hand of
 * someone who walks it from its first point to its last. Null for a path without length.
 */
export function forwardArrow(path: readonly Point[], length: number): Arrow | null {
  const segments = path.slice(1).map((b, i) => ({ a: path[i] as Point, b, length: distance(path[i] as Point, b) }));
  let left = segments.reduce((sum, segment) => sum + segment.length, 0) / 2;
  if (left === 0) return null;
  for (const { a, b, length: own } of segments) {
    if (left > own || own === 0) {
      left -= own;
      continue;
    }
    const [ux, uy] = [(b[0] - a[0]) / own, (b[1] - a[1]) / own];
    const from: Point = [a[0] + ux * left, a[1] + uy * left];
    const [nx, ny] = [-uy, ux];
    const degrees = (Math.atan2(ny, nx) * 180) / Math.PI;
    return { from, to: [from[0] + nx * length, from[1] + ny * length], degrees };
  }
  return null;
}
