import { el, setText } from "./dom.ts";
import { state, watch } from "./state.ts";
import { t } from "./strings.ts";
import { clock, duration, percent } from "./time.ts";
import type { Gap } from "./types.ts";

const SHOWN_GAPS = 4;

function gapItem(gap: Gap): HTMLElement {
  const from = new Date(gap.from);
  const to = new Date(gap.to);
  return el("li", {},
    el("time", { datetime: gap.from }, `${clock(from)}–${clock(to)} (${duration(to.getTime() - from.getTime())})`),
    el("span", {}, gap.cause));
}

/** How much of today the counts are about, and the latest spans that they miss. */
export function coverageCard(): HTMLElement {
  const text = el("p", { "data-testid": "coverage" });
  const bar = el("span", { class: "fill" });
  const list = el("ul", { class: "gaps" });
  watch(["coverage"], () => {
    const share = state.coverage;
    setText(text, share === undefined ? t.coverageUnknown : share === null ? t.noCoverage : t.coverage(percent(share)));
    bar.style.width = `${(share ?? 0) * 100}%`;
  });
  watch(["gaps"], () => {
    const latest = [...state.gaps].sort((a, b) => b.from.localeCompare(a.from)).slice(0, SHOWN_GAPS);
    list.replaceChildren(...latest.map(gapItem));
    list.hidden = latest.length === 0;
  });
  return el("section", { class: "card coverage" }, text, el("div", { class: "meter", "aria-hidden": "true" }, bar), list);
}
