import * as api from "./accessApi.ts";
import { confirmDelete } from "./confirm.ts";
import { KeyedList, el, icon, setText } from "./dom.ts";
import type { Keyed } from "./dom.ts";
import { SHORTEST_PASSWORD, newPasswordField, passwordDialog } from "./password.ts";
import { state } from "./state.ts";
import { t } from "./strings.ts";
import { attempt } from "./toast.ts";
import type { Role, User } from "./types.ts";

export function roleChoice(id: string, role: Role): HTMLSelectElement {
  return el("select", { id, "data-testid": id },
    ...(["viewer", "admin"] as const).map((value) => el("option", { value, selected: value === role }, t.roles[value])));
}

function row(user: User, reload: () => Promise<void>): Keyed<User> {
  const own = user.name === state.session?.user;
  const role = roleChoice(`role-${user.name}`, user.role);
  role.setAttribute("aria-label", t.roleOf(user.name));
  role.addEventListener("change", () => {
    void attempt(() => api.changeRole(user.name, role.value as Role)).then(reload);
  });
  const remove = async () => {
    if (!(await confirmDelete(t.deleteUser(user.name), t.deleteUserText))) return;
    await attempt(() => api.deleteUser(user.name));
    await reload();
  };
  const name = el("span", { class: "name" });
  return {
    node: el("li", { "data-testid": `user-${user.name}` }, name, role,
      el("button", { type: "button", class: "small", onclick: () => passwordDialog(user.name, own) }, t.password),
      el("button", { type: "button", class: "bare", "aria-label": t.deleteUser(user.name), onclick: () => void remove() }, icon("trash"))),
    update(now) {
      setText(name, own ? t.you(now.name) : now.name);
      role.value = now.role;
    },
  };
}

/** All accounts, and the form that adds one. */
export function usersPanel(): HTMLElement {
  const list = el("ul", { class: "access-list" });
  const reload = async () => {
    await attempt(async () => rows.render(await api.users()));
  };
  const rows = new KeyedList<User>(list, (user) => user.name, (user) => row(user, reload));
  const name = el("input", { id: "user-name", "data-testid": "user-name", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const password = newPasswordField("user-password");
  const role = roleChoice("user-role", "viewer");
  const error = el("p", { class: "error", role: "alert" });
  const form = el("form", { novalidate: true, autocomplete: "off" },
    el("h2", {}, t.addUser),
    el("div", { class: "triple" },
      el("div", {}, el("label", { for: "user-name" }, t.user), name),
      el("div", {}, el("label", { for: "user-password" }, t.password), password),
      el("div", {}, el("label", { for: "user-role" }, t.role), role)),
    el("p", { class: "help" }, t.rolesHelp), error,
    el("div", { class: "actions" }, el("button", { type: "submit", class: "primary", "data-testid": "user-add" }, t.add)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    error.textContent = !name.value.trim() ? t.needUser : password.value.length < SHORTEST_PASSWORD ? t.passwordShort : "";
    if (error.textContent) return (name.value.trim() ? password : name).focus();
    void attempt(() => api.addUser(name.value.trim(), password.value, role.value as Role)).then((done) => {
      if (!done) return;
      form.reset();
      void reload();
    });
  });
  void reload();
  return el("div", {}, list, form);
}
