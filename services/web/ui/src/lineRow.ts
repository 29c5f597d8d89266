import { className, tellsMasks } from "./classes.ts";
import { complianceText } from "./compliance.ts";
import { KeyedList, el, icon, setAttributes, setText } from "./dom.ts";
import type { Keyed } from "./dom.ts";
import { forwardArrow, toPixels } from "./geometry.ts";
import { select } from "./lines.ts";
import { openCamera, state } from "./state.ts";
import { t } from "./strings.ts";
import { percent } from "./time.ts";
import type { ByClass, Counts, Direction, Line } from "./types.ts";

export const sum = (counts: ByClass | undefined): number => Object.values(counts ?? {}).reduce((a, b) => a + b, 0);

const EMPTY: Counts["total"] = { forward: {}, backward: {} };

/** The angle of the forward direction on the picture, so that the page points the way the road does. */
export function forwardDegrees(line: Line): number {
  const size = openCamera()?.resolution ?? { width: 16, height: 9 };
  return forwardArrow(line.points.map((p) => toPixels(p, size)), 1)?.degrees ?? 90;
}

function total(line: Line, direction: Direction) {
  const arrow = icon("arrow");
  const value = el("span", { class: "value", "data-testid": `count-${line.id}-${direction}` }, "–");
  const node = el("div", { class: `total ${direction}` }, el("span", { class: "way" }, arrow, t[direction]), value);
  return {
    node,
    update(now: Line, counts: Counts | undefined) {
      arrow.style.transform = `rotate(${forwardDegrees(now) + (direction === "backward" ? 180 : 0)}deg)`;
      if (!counts) return;
      const next = String(sum(counts.total[direction]));
      if (value.textContent === next) return;
      const rising = value.textContent !== "–";
      setText(value, next);
      if (rising) value.animate({ backgroundColor: ["var(--flash)", "transparent"] }, 900);
    },
  };
}

function classRow(line: Line, name: string): Keyed<string> {
  const cells = (["forward", "backward"] as const).map((direction) => ({
    direction,
    node: el("td", { "data-testid": `count-${line.id}-${direction}-${name}` }),
  }));
  return {
    node: el("tr", {}, el("th", { scope: "row" }, className(name)), ...cells.map((cell) => cell.node)),
    update() {
      const counts = state.counts[line.id]?.total ?? EMPTY;
      for (const cell of cells) setText(cell.node, String(counts[cell.direction][name] ?? 0));
    },
  };
}

/** How many of those who crossed wore a mask properly, and how much of the time that is about. */
function complianceRow(line: Line) {
  const value = el("strong", { "data-testid": `compliance-${line.id}` });
  const coverage = el("span", { class: "help" });
  return {
    node: el("p", { class: "compliance", title: t.complianceHint }, t.complianceLabel, " ", value, " ", coverage),
    update(counts: Counts | undefined) {
      setText(value, counts ? complianceText(counts.compliance) : "–");
      setText(coverage, counts ? t.analysed(percent(counts.coverage ?? 0)) : "");
    },
  };
}

/** One line with its totals of today; `slot` takes the form while the line is in hand. */
export interface LineRow extends Keyed<Line> { slot: HTMLElement }

export function lineRow(line: Line): LineRow {
  const swatch = el("span", { class: "swatch" });
  const name = el("span", { class: "name" });
  const pen = icon("pen");
  pen.classList.add("edit-only");
  const button = el("button", { type: "button", class: "title", "aria-expanded": "false" }, swatch, name, pen);
  const totals = [total(line, "forward"), total(line, "backward")];
  const body = el("tbody");
  const classes = new KeyedList<string>(body, (key) => key, (key) => classRow(line, key));
  const head = el("tr", {}, ...[t.class, t.forward, t.backward].map((label) => el("th", { scope: "col" }, label)));
  const columns = el("colgroup", {}, el("col", { class: "names" }), el("col"), el("col"));
  const table = el("table", { class: "by-class" }, columns, el("thead", { class: "sr" }, head), body);
  const compliance = complianceRow(line);
  const slot = el("div", { class: "slot" });
  const open = el("div", { class: "summary" }, button, el("div", { class: "totals" }, el("span", { class: "label" }, t.total), ...totals.map((part) => part.node)), table, compliance.node);
  open.addEventListener("click", () => select(line));
  const node = el("li", { "data-testid": `line-row-${line.id}` }, open, slot);
  return {
    node,
    slot,
    update(now) {
      line = now;
      const counts = state.counts[now.id];
      swatch.style.background = now.color;
      setText(name, now.name);
      node.classList.toggle("focus", state.focusId === now.id);
      setAttributes(button, { "aria-expanded": String(state.draft?.id === now.id) });
      for (const part of totals) part.update(now, counts);
      const { forward, backward } = counts?.total ?? EMPTY;
      const found = [...new Set([...Object.keys(forward), ...Object.keys(backward)])];
      const size = (key: string) => (forward[key] ?? 0) + (backward[key] ?? 0);
      classes.render(found.filter((key) => size(key) > 0).sort((a, b) => size(b) - size(a) || a.localeCompare(b)));
      table.hidden = body.childElementCount === 0;
      compliance.update(counts);
      compliance.node.hidden = !tellsMasks(openCamera()) && !counts?.compliance.counted;
    },
  };
}
