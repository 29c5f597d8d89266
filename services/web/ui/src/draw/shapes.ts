import { clampPoint, distance, movePoints, snapped, toPixels } from "./geometry.ts";
import type { Point, Size } from "../api/types.ts";

/** What can be drawn over a picture: an open path, as a counting line is, or a closed area. Pure. */
export interface Kind { isClosed: boolean; leastPoints: number; mostPoints: number }

/** A counting line. */
export const LINE: Kind = { isClosed: false, leastPoints: 2, mostPoints: 100 };

/** Two points nearer than this are one for the server. */
const LEAST_DISTANCE = 1e-4;

/** What a hand pulls at: a point, the middle of a segment (which becomes a point), or the whole. */
export type Grip = { kind: "point"; index: number } | { kind: "middle"; index: number } | { kind: "whole" };

/** The middles of the segments, where a point can be put in: in shares, by the index of the point before. */
export function middlesOf(points: readonly Point[], kind: Kind): Point[] {
  if (points.length >= kind.mostPoints) return [];
  const ends = kind.isClosed ? [...points.slice(1), points[0] as Point] : points.slice(1);
  return ends.map((b, index): Point => {
    const a = points[index] as Point;
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  });
}

/** The points after a pull from one place to another; with `snap`, in steps of 15 degrees from the neighbour. */
export function pulled(points: readonly Point[], grip: Grip, from: Point, to: Point, size: Size, snap: boolean): Point[] {
  if (grip.kind === "whole") {
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const [width, height] = toPixels([Math.abs(dx), Math.abs(dy)], size);
    return snap ? movePoints(points, width >= height ? dx : 0, width >= height ? 0 : dy) : movePoints(points, dx, dy);
  }
  const all = grip.kind === "middle" ? inserted(points, grip.index, to) : [...points];
  const index = grip.kind === "middle" ? grip.index + 1 : grip.index;
  const neighbour = all[index - 1] ?? all[index + 1];
  all[index] = snap && neighbour ? snapped(neighbour, to, size) : clampPoint(to);
  return all;
}

/** Puts a point in behind the one of an index. */
export const inserted = (points: readonly Point[], after: number, point: Point): Point[] =>
  [...points.slice(0, after + 1), clampPoint(point), ...points.slice(after + 1)];

/** Takes a point out; as they were where too few would be left. */
export const removed = (points: readonly Point[], index: number, kind: Kind): readonly Point[] =>
  points.length > kind.leastPoints ? points.filter((_, other) => other !== index) : points;

/** The point that a new one behind `index` would be: the middle to the next, or a bit beyond the last. */
export function pointBehind(points: readonly Point[], index: number, kind: Kind): { after: number; point: Point } | null {
  const middles = middlesOf(points, kind);
  const after = Math.min(index, middles.length - 1);
  const point = middles[after];
  return point ? { after, point } : null;
}

/** Two points that are one, by the index of the second; null: there are none. */
export function doubledPoint(points: readonly Point[]): number | null {
  const found = points.findIndex((point, index) => index > 0 && distance(points[index - 1] as Point, point) < LEAST_DISTANCE);
  return found < 0 ? null : found;
}

/** Letters for points: A, B, … Z, then numbers. */
export const pointName = (index: number): string => (index < 26 ? String.fromCharCode(65 + index) : String(index + 1));
