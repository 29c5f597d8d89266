import { LINE_COLORS, freeColor } from "./colors.ts";
import { doubledPoint } from "./shapes.ts";
import type { Line, Point } from "../api/types.ts";

/** A line in a person's hands. `stored` is what the server has of it; null: it is new. */
export interface Draft {
  key: string;
  stored: Line | null;
  name: string;
  points: readonly Point[];
  anchor: Line["anchor"];
  classes: readonly string[] | null;
  color: string;
  forward_name: string;
  backward_name: string;
}

/** What the editor holds: all lines of a camera in the order of the server, new ones last. */
export type Drafts = readonly Draft[];

const FIELDS = ["name", "points", "anchor", "classes", "color", "forward_name", "backward_name"] as const;

const fieldsOf = (line: Line): Omit<Draft, "key" | "stored"> => ({
  name: line.name, points: line.points, anchor: line.anchor, classes: line.classes, color: line.color,
  forward_name: line.forward_name ?? "", backward_name: line.backward_name ?? "",
});

export const draftOf = (line: Line): Draft => ({ key: line.id, stored: line, ...fieldsOf(line) });

const isEqual = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** What differs from the stored line, as the API takes it; everything of a new one. */
export function changeOf(draft: Draft): Partial<Record<(typeof FIELDS)[number], unknown>> {
  const before = draft.stored && fieldsOf(draft.stored);
  const differing = FIELDS.filter((field) => !before || !isEqual(before[field], draft[field]));
  return Object.fromEntries(differing.map((field) => {
    const value = field === "name" || field.endsWith("_name") ? String(draft[field]).trim() : draft[field];
    return [field, field !== "name" && value === "" ? null : value];
  }));
}

export const isChanged = (draft: Draft): boolean => draft.stored === null || Object.keys(changeOf(draft)).length > 0;

/** What is wrong with a line before the server is asked. */
export type Fault = { field: "name"; kind: "missing" } | { field: "points"; kind: "doubled"; index: number };

export function faultOf(draft: Draft): Fault | null {
  if (!draft.name.trim()) return { field: "name", kind: "missing" };
  const index = doubledPoint(draft.points);
  return index === null ? null : { field: "points", kind: "doubled", index };
}

/** A new line with a name and a colour that no other has. */
export function newDraft(points: readonly Point[], drafts: Drafts, nameOf: (n: number) => string): Draft {
  const names = new Set(drafts.map((draft) => draft.name));
  let n = drafts.length + 1;
  while (names.has(nameOf(n))) n += 1;
  let key = 1;
  while (drafts.some((draft) => draft.key === `new ${key}`)) key += 1;
  return {
    key: `new ${key}`, stored: null, name: nameOf(n), points, anchor: "centre", classes: null,
    color: freeColor(drafts.map((draft) => draft.color)), forward_name: "", backward_name: "",
  };
}

/**
 * The drafts after the server's lines have changed: what nobody has touched here follows the server, what
 * somebody has keeps their change, on top of what it was made from.
 */
export function followed(drafts: Drafts, lines: readonly Line[]): Drafts {
  const known = new Map(drafts.filter((draft) => draft.stored).map((draft) => [draft.key, draft]));
  const stored = lines.map((line) => {
    const draft = known.get(line.id);
    return draft && isChanged(draft) ? draft : draftOf(line);
  });
  const there = new Set(lines.map((line) => line.id));
  return [...stored, ...drafts.flatMap((draft) => {
    if (draft.stored === null) return [draft];
    /* Somebody else has deleted it; who has changed it here makes it anew. */
    return !there.has(draft.stored.id) && isChanged(draft) ? [{ ...draft, stored: null }] : [];
  })];
}

/** A state of the drafts, now or to be come back to, after the lines have changed: what was taken out there stays out. */
export function rebased(drafts: Drafts, before: readonly Line[], now: readonly Line[]): Drafts {
  const kept = new Set(drafts.map((draft) => draft.key));
  const gone = new Set(before.filter((line) => !kept.has(line.id)).map((line) => line.id));
  return followed(drafts, now.filter((line) => !gone.has(line.id)));
}

/** A draft after it was stored; what was changed meanwhile is still to be stored. */
export const storedAs = (draft: Draft, sent: Draft, line: Line): Draft => (draft === sent ? draftOf(line) : { ...draft, key: line.id, stored: line });

/** The lines that somebody else has changed or deleted since they were taken in hand here. */
export function overtaken(drafts: Drafts, lines: readonly Line[]): Draft[] {
  const versions = new Map(lines.map((line) => [line.id, line.version]));
  return drafts.filter((draft) => draft.stored && isChanged(draft) && versions.get(draft.stored.id) !== draft.stored.version);
}

export { LINE_COLORS };
