import type { Direction, Line } from "../api/types.ts";

/** A line as the API will give it: with the names that people gave its directions. */
type NamedLine = Line & { forward_name?: string | null; backward_name?: string | null };

/** Gives what people call a direction of a line; null: they gave it no name. */
export function directionName(line: NamedLine | undefined, direction: Direction): string | null {
  return (direction === "forward" ? line?.forward_name : line?.backward_name) ?? null;
}
