import * as api from "./accessApi.ts";
import { el } from "./dom.ts";
import { openModal } from "./modal.ts";
import { t } from "./strings.ts";
import { attempt, note } from "./toast.ts";

export const SHORTEST_PASSWORD = 12;

/** A field for a new password that password managers know as one. */
export function newPasswordField(id: string): HTMLInputElement {
  return el("input", { id, "data-testid": id, type: "password", autocomplete: "new-password", required: true });
}

/** Changes somebody's password; one's own only with the old one. */
export function passwordDialog(user: string, own: boolean): void {
  const old = el("input", { id: "password-old", "data-testid": "password-old", type: "password", autocomplete: "current-password" });
  const fresh = newPasswordField("password-new");
  const keep = el("input", { id: "password-keep", "data-testid": "password-keep", type: "checkbox" });
  const error = el("p", { class: "error", role: "alert" });
  const save = el("button", { type: "submit", class: "primary", "data-testid": "password-save" }, t.save);
  const title = t.passwordOf(user);
  const form = el("form", { novalidate: true },
    el("h2", {}, title),
    el("input", { type: "text", autocomplete: "username", value: user, hidden: true, readonly: true }),
    own && el("label", { for: "password-old" }, t.oldPassword), own && old,
    el("label", { for: "password-new" }, t.newPassword), fresh,
    el("p", { class: "help" }, own ? t.passwordHelp : t.passwordEnds),
    el("label", { class: "check" }, keep, own ? t.keepOwnTokens : t.keepTokens),
    error,
    el("div", { class: "actions" },
      el("button", { type: "button", onclick: () => dialog.close() }, t.cancel), save));
  const dialog = el("dialog", { class: "confirm", "aria-label": title }, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    error.textContent = fresh.value.length < SHORTEST_PASSWORD ? t.passwordShort : "";
    if (error.textContent) return fresh.focus();
    save.disabled = true;
    void attempt(() => api.changePassword(user, fresh.value, own ? old.value : null, keep.checked)).then((done) => {
      save.disabled = false;
      if (!done) return;
      dialog.close();
      note(t.passwordChanged);
    });
  });
  openModal(dialog);
}
