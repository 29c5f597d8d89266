import type { Point, Size } from "../api/types.ts";

/** Points are shares of the picture, 0 to 1; what is seen and pulled at is measured in pixels of the screen. */
const PRECISION = 1e6;

const clamp = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * PRECISION) / PRECISION;

export const clampPoint = ([x, y]: Point): Point => [clamp(x), clamp(y)];

export const toPixels = ([x, y]: Point, size: Size): Point => [x * size.width, y * size.height];

export const toShares = ([x, y]: Point, size: Size): Point => clampPoint([x / size.width, y / size.height]);

export const distance = (a: Point, b: Point): number => Math.hypot(b[0] - a[0], b[1] - a[1]);

/** Moves all points together, as far as the picture's edges let every one of them. */
export function movePoints(points: readonly Point[], dx: number, dy: number): Point[] {
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const x = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), dx));
  const y = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), dy));
  return points.map(([px, py]): Point => clampPoint([px + x, py + y]));
}

const STEP_DEGREES = 15;

/** Turns the way from `from` to `to` to the next multiple of 15 degrees, as it looks on the screen. */
export function snapped(from: Point, to: Point, size: Size): Point {
  const [a, b] = [toPixels(from, size), toPixels(to, size)];
  const step = (STEP_DEGREES * Math.PI) / 180;
  const angle = Math.round(Math.atan2(b[1] - a[1], b[0] - a[0]) / step) * step;
  const [ux, uy] = [Math.cos(angle), Math.sin(angle)];
  const length = Math.max(0, (b[0] - a[0]) * ux + (b[1] - a[1]) * uy);
  const most = Math.min(reach(a[0], ux, size.width), reach(a[1], uy, size.height));
  return toShares([a[0] + ux * Math.min(length, most), a[1] + uy * Math.min(length, most)], size);
}

/** How far one can go from `start` by `unit` a step within 0 and `end`. */
function reach(start: number, unit: number, end: number): number {
  if (Math.abs(unit) < 1e-9) return Infinity;
  return unit > 0 ? (end - start) / unit : -start / unit;
}

export interface Arrow { from: Point; to: Point; degrees: number }

/**
 * The arrow of the forward direction in pixels: from the middle of the path, to the right hand of
 * someone who walks it from its first point to its last. Null for a path without length.
 */
export function forwardArrow(path: readonly Point[], length: number): Arrow | null {
  const segments = segmentsOf(path);
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
    return { from, to: [from[0] + nx * length, from[1] + ny * length], degrees: (Math.atan2(ny, nx) * 180) / Math.PI };
  }
  return null;
}

interface Segment { a: Point; b: Point; length: number }

function segmentsOf(path: readonly Point[]): Segment[] {
  return path.slice(1).map((b, index) => ({ a: path[index] as Point, b, length: distance(path[index] as Point, b) }));
}

/** The place on a path by arc length, 0 at its first point and 1 at its last; in the path's own units. */
export function placeAlong(path: readonly Point[], along: number): Point {
  const segments = segmentsOf(path);
  let left = Math.min(1, Math.max(0, along)) * segments.reduce((sum, segment) => sum + segment.length, 0);
  for (const { a, b, length } of segments) {
    if (left <= length && length > 0) return [a[0] + ((b[0] - a[0]) * left) / length, a[1] + ((b[1] - a[1]) * left) / length];
    left -= length;
  }
  return path[path.length - 1] ?? [0, 0];
}

/** Points of a path for SVG. */
export const pathData = (points: readonly Point[], isClosed = false): string =>
  points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x.toFixed(2)} ${y.toFixed(2)}`).join("") + (isClosed ? "Z" : "");
