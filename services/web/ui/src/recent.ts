import { className } from "./classes.ts";
import { KeyedList, el, icon, setText } from "./dom.ts";
import type { Keyed } from "./dom.ts";
import { forwardDegrees } from "./lineRow.ts";
import { state, watch } from "./state.ts";
import { t } from "./strings.ts";
import { clockSeconds } from "./time.ts";
import type { Crossing } from "./types.ts";

function row(crossing: Crossing): Keyed<Crossing> {
  const swatch = el("span", { class: "swatch" });
  const line = el("span", { class: "line-name" });
  const arrow = icon("arrow");
  const node = el("li", {},
    el("time", { datetime: crossing.time }, clockSeconds(new Date(crossing.time))),
    swatch, line,
    el("span", { class: "kind" }, className(crossing.class)),
    el("span", { class: `way ${crossing.direction}`, title: t[crossing.direction] }, arrow, t[crossing.direction]));
  return {
    node,
    update() {
      const known = state.lines?.find((candidate) => candidate.id === crossing.line);
      setText(line, known?.name ?? crossing.line);
      swatch.style.background = known?.color ?? "currentColor";
      const degrees = (known ? forwardDegrees(known) : 90) + (crossing.direction === "backward" ? 180 : 0);
      arrow.style.transform = `rotate(${degrees}deg)`;
    },
  };
}

/** The latest crossings of the open camera, newest first. */
export function recentCard(): HTMLElement {
  const list = el("ol", { class: "recent-list" });
  const rows = new KeyedList<Crossing>(list, (crossing) => crossing.id, row);
  const empty = el("p", { class: "empty" }, t.noRecent);
  watch(["crossings", "lines"], () => {
    rows.render(state.crossings ?? []);
    empty.hidden = (state.crossings ?? []).length > 0;
  });
  return el("section", { class: "card recent", "aria-labelledby": "recent-title" },
    el("h2", { id: "recent-title" }, t.recent), empty, list);
}
