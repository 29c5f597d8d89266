import { ApiError, Unreachable } from "./client.ts";
import { el, icon } from "./dom.ts";
import { t } from "./strings.ts";

interface Action { label: string; run: () => void }

const SHOWN_MS = 8000;
const area = el("div", { class: "toasts", role: "status", "aria-live": "polite" });

export const toastArea = (): HTMLElement => area;

function show(kind: "note" | "error", message: string, action?: Action): void {
  for (const other of area.children) if (other.textContent?.startsWith(message)) other.remove();
  const close = () => node.remove();
  const node = el("div", { class: `toast ${kind}`, "data-testid": "toast" },
    el("span", {}, message),
    action ? el("button", { type: "button", class: "link", onclick: () => { close(); action.run(); } }, action.label) : null,
    el("button", { type: "button", class: "bare", "aria-label": t.close, onclick: close }, icon("close")),
  );
  area.append(node);
  setTimeout(close, SHOWN_MS);
}

export const note = (message: string, action?: Action): void => show("note", message, action);

/** Runs what a person asked for; says why when it fails, in place of why the last one failed. True when it succeeded. */
export async function attempt(task: () => Promise<void>): Promise<boolean> {
  try {
    await task();
    return true;
  } catch (error) {
    for (const old of area.querySelectorAll(".error")) old.remove();
    if (error instanceof ApiError) show("error", error.message);
    else if (error instanceof Unreachable) show("error", t.down);
    else throw error;
    return false;
  }
}
