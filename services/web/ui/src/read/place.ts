import type { Point, Size } from "../api/types.ts";
import { distance, placeAlong, toPixels } from "../draw/geometry.ts";
import type { Direction } from "./question.ts";

/** Where and which way somebody crossed a line, in pixels of the picture. Pure. */
export interface Place { at: Point; tip: Point }

/** So far to each side of the place the way of the line is measured, as a share of its length. */
const NEAR = 0.01;

/** Gives the place, and the tip of an arrow from it: forward is to the right hand of who walks the line from its first point. */
export function placeOf(points: readonly Point[], along: number, direction: Direction, size: Size, lengthPx: number): Place | null {
  const path = points.map((point) => toPixels(point, size));
  const [before, behind] = [placeAlong(path, along - NEAR), placeAlong(path, along + NEAR)];
  const length = distance(before, behind);
  if (path.length < 2 || length === 0) return null;
  const side = direction === "forward" ? lengthPx / length : -lengthPx / length;
  const at = placeAlong(path, along);
  return { at, tip: [at[0] - (behind[1] - before[1]) * side, at[1] + (behind[0] - before[0]) * side] };
}
