import { el } from "./dom.ts";
import { openModal } from "./modal.ts";
import { t } from "./strings.ts";

/** Asks before something is lost. */
export function confirmDelete(title: string, text: string): Promise<boolean> {
  return new Promise((resolve) => {
    const dialog = el("dialog", { class: "confirm", "aria-label": title },
      el("form", { method: "dialog" },
        el("h2", {}, title),
        el("p", {}, text),
        el("div", { class: "actions" },
          el("button", { value: "no", "data-testid": "confirm-cancel" }, t.cancel),
          el("button", { value: "yes", class: "danger", "data-testid": "confirm-ok" }, t.delete),
        ),
      ),
    );
    openModal(dialog, () => resolve(dialog.returnValue === "yes"));
  });
}
