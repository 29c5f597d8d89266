import { request } from "./api.ts";
import { confirmDelete } from "./confirm.ts";
import { recheckSystem } from "./data.ts";
import { el, setText } from "./dom.ts";
import { state, watch } from "./state.ts";
import { t } from "./strings.ts";
import { attempt } from "./toast.ts";
import type { ShorterRetention } from "./types.ts";

const confirm = (what: "retention" | "clock", id: string): Promise<boolean> => attempt(async () => {
  await request("PATCH", `/system/${what}`, { confirm: id });
  recheckSystem();
});

async function confirmRetention(pending: ShorterRetention): Promise<void> {
  if (await confirmDelete(t.retentionTitle, t.retentionText(records(pending)))) await confirm("retention", pending.id);
}

/** Like `3 trajectories older than 10 days`, by kind. */
export const records = (pending: ShorterRetention): string =>
  pending.records.map(({ kind, number, days }) => t.olderThan(number, kind, days)).join(", ");

function notice(testId: string, label: string, run: () => void) {
  const text = el("span");
  const node = el("div", { class: "banner", role: "status", hidden: true, "data-testid": testId },
    text, " ", el("button", { type: "button", class: "small edit-only", onclick: run }, label));
  return { node, tell(words: string | null) { node.hidden = words === null; setText(text, words ?? ""); } };
}

/** What waits for a person: a shorter retention that would delete, and a clock that is in doubt. */
export function upkeepNotices(): HTMLElement {
  const retention = notice("retention-notice", t.retentionNow, () => {
    const pending = state.system?.upkeep?.pending;
    if (pending) void confirmRetention(pending);
  });
  const clock = notice("clock-notice", t.clockRight, () => {
    const doubt = state.system?.upkeep?.doubt;
    if (doubt) void confirm("clock", doubt.id);
  });
  watch(["system"], () => {
    const { pending = null, doubt = null, setAside = 0 } = state.system?.upkeep ?? {};
    retention.tell(pending && t.retentionNotice(records(pending), pending.hoursLeft));
    clock.tell(doubt && t.clockNotice(new Date(doubt.shows).toLocaleString(), setAside));
  });
  return el("div", {}, retention.node, clock.node);
}
