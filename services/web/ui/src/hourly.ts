import { serverNow } from "./client.ts";
import { createChart } from "./chart.ts";
import { complianceText } from "./compliance.ts";
import { el, setAttributes, setText } from "./dom.ts";
import { hoursOfDay } from "./hours.ts";
import type { Hour } from "./hours.ts";
import { state, watch } from "./state.ts";
import { t } from "./strings.ts";
import { clock, dayRange, percent } from "./time.ts";

function describe(hour: Hour): string {
  const span = t.hour(clock(hour.start), clock(new Date(hour.start.getTime() + 3_600_000)));
  if (hour.coverage === null) return `${span}: ${t.notYet}`;
  const counts = `${hour.forward} ${t.forward}, ${hour.backward} ${t.backward}`;
  const masks = hour.compliance.counted > 0 ? `, ${t.complianceLabel} ${complianceText(hour.compliance)}` : "";
  return `${span}: ${counts}${masks}, ${hour.coverage > 0 ? t.analysed(percent(hour.coverage)) : t.notAnalysed}`;
}

/** The hours of today for the line in focus. */
export function hourlyCard(): HTMLElement {
  let hours: Hour[] = [];
  const name = el("span", { class: "of" });
  const readout = el("p", { class: "readout" });
  const box = el("div", { class: "chart", "data-testid": "hourly-chart", role: "img" });
  const empty = el("p", { class: "empty edit-only" }, t.chartEmpty);
  const key = (kind: string, label: string) => el("span", { class: "key" }, el("span", { class: `mark ${kind}` }), label);
  const legend = el("div", { class: "legend" }, key("forward", t.forward), key("backward", t.backward), key("gap", t.notAnalysed));
  const chart = createChart(box, (index) => {
    const hour = index === null ? undefined : hours[index];
    setText(readout, hour ? describe(hour) : "");
    legend.hidden = hour !== undefined || box.hidden;
  });
  watch(["counts", "focusId", "lines"], () => {
    const line = state.lines?.find((known) => known.id === state.focusId);
    const counts = line ? state.counts[line.id] : undefined;
    empty.hidden = line !== undefined || state.lines === null;
    box.hidden = legend.hidden = !empty.hidden;
    setText(name, line?.name ?? "");
    if (!counts) return;
    const now = serverNow();
    hours = hoursOfDay(dayRange(now), counts.buckets, now);
    chart.show(hours);
    setAttributes(box, { "aria-label": `${t.byHour}. ${hours.filter((hour) => hour.coverage !== null).map(describe).join("; ")}` });
  });
  return el("section", { class: "card hourly", "aria-labelledby": "hourly-title" },
    el("div", { class: "head" }, el("h2", { id: "hourly-title" }, t.byHour, " ", name), legend, readout), box, empty);
}
