import { KeyedList, el, setText } from "./dom.ts";
import { lineForm } from "./lineForm.ts";
import { lineRow, sum } from "./lineRow.ts";
import type { LineRow } from "./lineRow.ts";
import { shownLines, state, watch } from "./state.ts";
import { t } from "./strings.ts";
import type { Line } from "./types.ts";

const ANNOUNCE_MS = 15_000;

/** Tells a screen reader the counts when they changed, but not at every crossing. */
function announcer(): HTMLElement {
  const node = el("p", { class: "sr", role: "status", "aria-live": "polite" });
  setInterval(() => {
    const parts = shownLines().map((line) => {
      const total = state.counts[line.id]?.total;
      return total ? t.announce(line.name, sum(total.forward), sum(total.backward)) : "";
    });
    setText(node, parts.filter(Boolean).join("; "));
  }, ANNOUNCE_MS);
  return node;
}

/** All lines of the open camera with today's counts, and the form of the line in hand. */
export function countsPanel(): HTMLElement {
  const rows = new Map<string, LineRow>();
  const list = el("ul", { class: "line-list" });
  const keyed = new KeyedList<Line>(list, (line) => line.id, (line) => {
    const row = lineRow(line);
    rows.set(line.id, row);
    return row;
  });
  const fresh = el("div", { class: "slot new" });
  const empty = el("div", { class: "empty" }, el("strong", {}, t.noLines), el("span", { class: "edit-only" }, t.noLinesText));
  let form: { id: string | null; node: HTMLFormElement } | null = null;

  watch(["lines", "draft", "counts", "focusId", "cameras"], () => {
    keyed.render(shownLines());
    empty.hidden = state.lines === null || state.lines.length > 0 || state.draft !== null;
  });
  watch(["draft", "lines"], () => {
    const draft = state.draft;
    if (!draft) {
      form?.node.remove();
      form = null;
      return;
    }
    if (form?.id === draft.id) return;
    form?.node.remove();
    form = { id: draft.id, node: lineForm(draft) };
    (draft.id === null ? fresh : rows.get(draft.id)?.slot)?.append(form.node);
    form.node.scrollIntoView({ block: "nearest", behavior: "smooth" });
    if (draft.id === null) form.node.querySelector<HTMLInputElement>("#line-name")?.select();
  });
  return el("section", { class: "card lines", "aria-labelledby": "lines-title" },
    el("h2", { id: "lines-title" }, t.lines), fresh, empty, list, announcer());
}
