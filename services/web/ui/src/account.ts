import { accessDialog } from "./access.ts";
import { el, icon, setText } from "./dom.ts";
import { passwordDialog } from "./password.ts";
import { logOut, mayEdit } from "./session.ts";
import { state, watch } from "./state.ts";
import { t } from "./strings.ts";
import { attempt } from "./toast.ts";

/** Who is logged in, and what they can do about it; nothing where nobody has to log in. */
export function accountLine(): HTMLElement {
  const name = el("span", { "data-testid": "account-name" });
  const own = el("button", { type: "button", class: "small quiet name", title: t.changePassword, "data-testid": "account",
    onclick: () => { if (state.session?.user) passwordDialog(state.session.user, true); } }, icon("person"), name);
  const access = el("button", { type: "button", class: "small", "data-testid": "access", title: t.accessHint, "aria-label": t.accessHint, onclick: () => accessDialog() }, icon("key"));
  const out = el("button", { type: "button", class: "small", "data-testid": "log-out", onclick: () => void attempt(logOut) }, t.logOut);
  const line = el("div", { class: "account", role: "group", "aria-label": t.account, hidden: true }, own, access, out);
  watch(["session"], () => {
    setText(name, state.session?.user ?? "");
    line.hidden = state.session?.user == null || !state.session.login_wanted;
    access.hidden = !mayEdit();
  });
  return line;
}
