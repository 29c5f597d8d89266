import { auditPanel } from "./audit.ts";
import { el, setAttributes } from "./dom.ts";
import { openModal } from "./modal.ts";
import { t } from "./strings.ts";
import { tokensPanel } from "./tokens.ts";
import { usersPanel } from "./users.ts";

interface Tab { id: string; label: string; panel: () => HTMLElement }

const TABS: Tab[] = [
  { id: "users", label: t.users, panel: usersPanel },
  { id: "tokens", label: t.tokens, panel: tokensPanel },
  { id: "audit", label: t.audit, panel: auditPanel },
];

/** The dialog of admins: users, tokens and what was done. */
export function accessDialog(): void {
  const place = el("div", { class: "tab-panel", role: "tabpanel", id: "access-panel", tabindex: 0 });
  const buttons = TABS.map((tab) =>
    el("button", { type: "button", role: "tab", id: `tab-${tab.id}`, "data-testid": `tab-${tab.id}`, "aria-controls": "access-panel", onclick: () => show(tab) }, tab.label));

  function show(shown: Tab): void {
    for (const [index, tab] of TABS.entries()) {
      const chosen = tab === shown;
      const button = buttons[index];
      if (button) setAttributes(button, { "aria-selected": String(chosen), tabindex: chosen ? 0 : -1 });
    }
    setAttributes(place, { "aria-labelledby": `tab-${shown.id}` });
    place.replaceChildren(shown.panel());
  }
  const list = el("div", { class: "tabs", role: "tablist", "aria-label": t.access }, ...buttons);
  list.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const index = buttons.findIndex((button) => button === document.activeElement);
    if (step === 0 || index < 0) return;
    const next = (index + step + TABS.length) % TABS.length;
    buttons[next]?.focus();
    const tab = TABS[next];
    if (tab) show(tab);
  });
  const dialog = el("dialog", { class: "access", "aria-label": t.access, "data-testid": "access-dialog" },
    el("div", { class: "access-head" }, list, el("span", { class: "grow" }),
      el("button", { type: "button", class: "small", onclick: () => dialog.close() }, t.close)),
    place);
  const [first] = TABS;
  if (first) show(first);
  openModal(dialog);
}
