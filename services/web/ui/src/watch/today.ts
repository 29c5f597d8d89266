import { MASKS, mayStateMasks } from "../draw/classes.ts";

/** Today's counts: of a camera, of a line, of a direction. */
export type ByClass = Record<string, number>;
export interface Directed { forward: ByClass; backward: ByClass }

export const sum = (counts: ByClass): number => Object.values(counts).reduce((a, b) => a + b, 0);
export const both = ({ forward, backward }: Directed): number => sum(forward) + sum(backward);

/** How many of a class were counted, whatever it is called: no count is inherited, as `constructor` would be. */
export const countOf = (counts: ByClass, name: string): number => (Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0);

/** The classes that were counted in a direction or the other, the most frequent first. */
export function classesOf({ forward, backward }: Directed): string[] {
  const all = (name: string): number => countOf(forward, name) + countOf(backward, name);
  return [...new Set([...Object.keys(forward), ...Object.keys(backward)])]
    .filter((name) => all(name) > 0)
    .sort((a, b) => all(b) - all(a) || a.localeCompare(b));
}

/** How many of the people counted wear a mask properly; null: it is not a matter of masks, or not all states count. */
export function compliance(line: Directed, counted: readonly string[] | null, found?: readonly string[] | null): { worn: number; people: number } | null {
  if ((counted && !MASKS.every((name) => counted.includes(name))) || !mayStateMasks(found)) return null;
  const all = (name: string): number => countOf(line.forward, name) + countOf(line.backward, name);
  const people = MASKS.reduce((whole, name) => whole + all(name), 0);
  return people > 0 ? { worn: all("mask"), people } : null;
}
