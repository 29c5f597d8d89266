import { Unreachable } from "./client.ts";
import { recheckCameras } from "./data.ts";
import { el } from "./dom.ts";
import { logIn } from "./session.ts";
import { state, watch } from "./state.ts";
import { t } from "./strings.ts";

/** The form that stands in place of the page until somebody has logged in. */
export function loginView(): HTMLElement {
  const user = el("input", { id: "login-user", "data-testid": "login-user", autocomplete: "username", autocapitalize: "off", spellcheck: "false", required: true });
  const password = el("input", { id: "login-password", "data-testid": "login-password", type: "password", autocomplete: "current-password", required: true });
  const error = el("p", { class: "error", role: "alert", "data-testid": "login-error" });
  const button = el("button", { type: "submit", class: "primary", "data-testid": "login-submit" }, t.logIn);
  const form = el("form", { class: "login card", novalidate: true, "data-testid": "login" },
    el("h1", {}, el("img", { src: "/favicon.svg", alt: "", width: 24, height: 24 }), t.product),
    el("label", { for: "login-user" }, t.user), user,
    el("label", { for: "login-password" }, t.password), password,
    error, button);

  const submit = async () => {
    const missing = !user.value.trim() ? user : !password.value ? password : null;
    error.textContent = missing === user ? t.needUser : missing ? t.needPassword : "";
    if (missing) return missing.focus();
    button.disabled = true;
    try {
      error.textContent = (await logIn(user.value.trim(), password.value)) ?? "";
    } catch (failure) {
      if (!(failure instanceof Unreachable)) throw failure;
      error.textContent = t.down;
    } finally {
      button.disabled = false;
    }
    if (error.textContent) return password.select();
    password.value = "";
    recheckCameras();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  const view = el("div", { class: "login-view", hidden: true }, form);
  watch(["session"], () => {
    const before = view.hidden;
    view.hidden = state.session === null || state.session.role !== null;
    if (before && !view.hidden) (user.value ? password : user).focus();
  });
  return view;
}
