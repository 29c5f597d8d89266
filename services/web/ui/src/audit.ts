import * as api from "./accessApi.ts";
import { el } from "./dom.ts";
import { t } from "./strings.ts";
import { attempt } from "./toast.ts";
import type { AuditEntry } from "./types.ts";

function row(entry: AuditEntry): HTMLElement {
  const who = [entry.user ?? t.anybody, entry.by !== "session" && entry.by].filter(Boolean).join(", ");
  return el("li", {},
    el("time", { datetime: entry.time }, new Date(entry.time).toLocaleString()),
    el("span", { class: "name" }, who),
    el("span", {}, entry.action, " ", entry.target, entry.count > 1 && ` × ${entry.count}`),
    el("span", { class: "detail" }, entry.address));
}

/** Who did what, newest first. */
export function auditPanel(): HTMLElement {
  let next: string | null = null;
  const list = el("ol", { class: "audit-list", "data-testid": "audit-list" });
  const more = el("button", { type: "button", class: "small", hidden: true, onclick: () => void load() }, t.older);
  const load = async () => {
    await attempt(async () => {
      const page = await api.audit(next);
      list.append(...page.items.map(row));
      next = page.next;
      more.hidden = next === null;
    });
  };
  void load();
  return el("div", {}, list, more);
}
