import * as api from "./api.ts";
import { confirmDelete } from "./confirm.ts";
import { recheckSystem } from "./data.ts";
import { el, setText } from "./dom.ts";
import { state, watch } from "./state.ts";
import { t } from "./strings.ts";
import { attempt } from "./toast.ts";
import type { ShorterRetention } from "./types.ts";

const confirm = (ask: (id: string) => Promise<void>, id: string): Promise<boolean> => attempt(async () => {
  await ask(id);
  recheckSystem();
});

async function confirmRetention(pending: ShorterRetention): Promise<void> {
  if (await confirmDelete(t.retentionTitle, t.retentionText(records(pending)))) await confirm(api.confirmRetention, pending.id);
}

/** Like `3 trajectories older than 10 days`, by kind. */
export const records = (pending: ShorterRetention): string =>
  Object.entries(pending.records).map(([kind, number]) => t.olderThan(number, kind, pending.days[kind] ?? 0)).join(", ");

function notice(testId: string, label: string, run: () => void) {
  const text = el("span");
  const node = el("div", { class: "banner", role: "status", hidden: true, "data-testid": testId },
    text, " ", el("button", { type: "button", class: "small edit-only", onclick: run }, label));
  return { node, show(words: string | null) { node.hidden = words === null; setText(text, words ?? ""); } };
}

/** What waits for a person: a shorter retention that would delete, and a clock that is in doubt. */
export function upkeepNotices(): HTMLElement {
  const retention = notice("retention-notice", t.retentionNow, () => {
    const pending = state.system?.retention?.pending;
    if (pending) void confirmRetention(pending);
  });
  const clock = notice("clock-notice", t.clockRight, () => {
    const doubt = state.system?.clock?.doubt;
    if (doubt) void confirm(api.confirmClock, doubt.id);
  });
  watch(["system"], () => {
    const pending = state.system?.retention?.pending ?? null;
    const doubt = state.system?.clock?.doubt ?? null;
    retention.show(pending && t.retentionNotice(records(pending), pending.hours_left));
    clock.show(doubt && t.clockNotice(new Date(doubt.shows).toLocaleString(), state.system?.set_aside ?? 0));
  });
  return el("div", {}, retention.node, clock.node);
}
