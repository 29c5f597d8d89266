import assert from "node:assert/strict";
import { test } from "node:test";
import type { Line } from "../src/api/types.ts";
import { LINE_COLORS, freeColor } from "../src/draw/colors.ts";
import { begun, mapped, redone, replaced, stepped, undone } from "../src/draw/history.ts";
import { changeOf, draftOf, faultOf, followed, isChanged, newDraft, overtaken, rebased, storedAs } from "../src/draw/lines.ts";
import type { Drafts } from "../src/draw/lines.ts";

const line = (id: string, patch: Partial<Line> = {}): Line => ({
  id, name: id, points: [[0.1, 0.5], [0.9, 0.5]], anchor: "centre", classes: null, color: "#22c1a6", version: 1, ...patch,
} as Line);

test("steps are undone and done again; a new step ends what could be done again", () => {
  let history = stepped(stepped(begun(1), 2), 3);
  history = undone(undone(history));
  assert.equal(history.present, 1);
  assert.equal(undone(history), history);
  assert.equal(redone(history).present, 2);
  history = stepped(redone(history), 9);
  assert.deepEqual([history.present, redone(history).present, undone(history).present], [9, 9, 2]);
  assert.equal(undone(replaced(history, 10)).present, 2);
});

test("only what differs is sent; a name that is taken away is sent as none", () => {
  const draft = draftOf(line("a", { forward_name: "in" } as Partial<Line>));
  assert.deepEqual(changeOf(draft), {});
  assert.equal(isChanged(draft), false);
  assert.deepEqual(changeOf({ ...draft, name: " Gate ", forward_name: " " }), { name: "Gate", forward_name: null });
  const made = newDraft([[0, 0], [1, 1]], [], (n) => `Line ${n}`);
  assert.deepEqual(Object.keys(changeOf(made)).sort(), ["anchor", "backward_name", "classes", "color", "forward_name", "name", "points"]);
});

test("a line needs a name, and points that are apart", () => {
  const draft = draftOf(line("a"));
  assert.equal(faultOf(draft), null);
  assert.deepEqual(faultOf({ ...draft, name: "  " }), { field: "name", kind: "missing" });
  assert.deepEqual(faultOf({ ...draft, points: [[0, 0], [0, 0]] }), { field: "points", kind: "doubled", index: 1 });
});

test("a new line has a name, a key and a colour of its own", () => {
  const nameOf = (n: number): string => `Line ${n}`;
  const first = newDraft([], [draftOf(line("a", { name: "Line 2" }))], nameOf);
  const second = newDraft([], [first], nameOf);
  assert.deepEqual([first.name, second.name], ["Line 3", "Line 2"]);
  assert.notEqual(first.key, second.key);
  assert.notEqual(first.color, "#22c1a6");
});

test("what nobody has touched follows the server; what somebody has keeps their change", () => {
  const mine = { ...draftOf(line("a")), name: "Mine" };
  const drafts = [mine, draftOf(line("b")), newDraft([], [], String)];
  const now = [line("a", { name: "Theirs", version: 2 }), line("c")];
  assert.deepEqual(followed(drafts, now).map((draft) => draft.name), ["Mine", "c", "1"]);
  assert.deepEqual(overtaken(drafts, now).map((draft) => draft.key), ["a"]);
  assert.deepEqual(overtaken(drafts, [line("a")]), []);
  assert.deepEqual(overtaken(drafts, []).map((draft) => draft.key), ["a"]);
});

test("a new line gets a colour that no other line has, nor one that looks like it", () => {
  assert.equal(freeColor([]), LINE_COLORS[0]);
  assert.equal(freeColor(["#ff6b35", "#2ec4b6"]), "#f5b100");
  assert.equal(freeColor(LINE_COLORS), LINE_COLORS[0]);
});

test("what somebody has changed here is kept when somebody else deletes it, and is made anew", () => {
  const mine = { ...draftOf(line("a")), name: "Mine" };
  const kept = followed([mine, draftOf(line("b"))], []);
  assert.deepEqual(kept.map((draft) => [draft.name, draft.stored]), [["Mine", null]]);
});

test("a line that somebody else makes is not deleted by undoing, and one that was taken out here stays out", () => {
  const [before, now] = [[line("a"), line("b")], [line("a"), line("b"), line("theirs")]];
  const history = mapped(stepped(begun<Drafts>([draftOf(line("a")), draftOf(line("b"))]), [draftOf(line("a"))]), (drafts) => rebased(drafts, before, now));
  assert.deepEqual(history.present.map((draft) => draft.key), ["a", "theirs"]);
  assert.deepEqual(undone(history).present.map((draft) => draft.key), ["a", "b", "theirs"]);
});

test("what is changed while a line is being stored is still to be stored", () => {
  const sent = newDraft([[0, 0], [1, 1]], [], () => "New");
  const line1 = line("new-1", { name: "New", points: [[0, 0], [1, 1]] });
  assert.equal(isChanged(storedAs(sent, sent, line1)), false);
  const later = storedAs({ ...sent, name: "Newer" }, sent, line1);
  assert.deepEqual([later.key, changeOf(later).name], ["new-1", "Newer"]);
});
