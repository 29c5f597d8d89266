import * as api from "./api.ts";
import { freeColor } from "./colors.ts";
import { confirmDelete } from "./confirm.ts";
import { recheckLines } from "./data.ts";
import { mayEdit } from "./session.ts";
import { state, update } from "./state.ts";
import { t } from "./strings.ts";
import { attempt, note } from "./toast.ts";
import type { Draft, Line, Point } from "./types.ts";

/** Where a line lies that is made by keyboard. */
const MIDDLE: Point[] = [[0.25, 0.5], [0.75, 0.5]];

/** What can be done to lines. A stored line's place changes at once, with undo; its form by Save. */
export function startLine(points: Point[]): void {
  if (!mayEdit()) return;
  const lines = state.lines ?? [];
  const names = new Set(lines.map((line) => line.name));
  let n = lines.length + 1;
  while (names.has(t.newLineName(n))) n += 1;
  const color = freeColor(lines.map((line) => line.color));
  const draft: Draft = { id: null, name: t.newLineName(n), points, anchor: "centre", classes: null, color };
  update({ drawing: false, draft });
}

export const startInMiddle = (): void => startLine(MIDDLE);

export function select(line: Line): void {
  if (state.draft?.id === line.id) return;
  update({ drawing: false, draft: mayEdit() ? { ...line } : null, focusId: line.id, coverage: state.counts[line.id]?.coverage ?? state.coverage });
}

export function cancel(): void {
  update({ drawing: false, draft: null });
}

export function change(patch: Partial<Draft>): void {
  if (state.draft) update({ draft: { ...state.draft, ...patch } });
}

async function storePoints(line: string, points: Point[]): Promise<void> {
  const camera = state.openId;
  if (camera === null) return;
  await api.changeLine(camera, line, { points });
  if (state.draft?.id === line) change({ points });
  await recheckLines();
}

/** Stores the new place of the line in hand; a line not yet saved just keeps it. */
export async function place(before: Point[], message: (name: string) => string = t.lineMoved): Promise<void> {
  const draft = state.draft;
  if (!draft || draft.id === null || JSON.stringify(before) === JSON.stringify(draft.points)) return;
  const id = draft.id;
  const undo = () => void attempt(() => storePoints(id, before));
  if (await attempt(() => storePoints(id, draft.points))) note(message(draft.name), { label: t.undo, run: undo });
  else change({ points: before });
}

export async function flip(): Promise<void> {
  const before = state.draft?.points ?? [];
  change({ points: [...before].reverse() });
  await place(before, t.lineFlipped);
}

export async function save(): Promise<void> {
  const [camera, draft] = [state.openId, state.draft];
  if (camera === null || !draft) return;
  const name = draft.name.trim() || t.newLine;
  await attempt(async () => {
    let id = draft.id;
    if (id === null) id = (await api.createLine(camera, { ...draft, name })).id;
    else await api.changeLine(camera, id, { name, color: draft.color, anchor: draft.anchor, classes: draft.classes });
    update({ focusId: id });
    await recheckLines();
    update({ draft: null });
  });
}

export async function remove(): Promise<void> {
  const [camera, draft] = [state.openId, state.draft];
  if (camera === null || !draft || draft.id === null) return cancel();
  const id = draft.id;
  if (!(await confirmDelete(t.deleteLine(draft.name), t.deleteLineText))) return;
  await attempt(async () => {
    await api.deleteLine(camera, id);
    update({ draft: null });
    await recheckLines();
  });
}
