import * as api from "./accessApi.ts";
import { serverNow } from "./client.ts";
import { confirmDelete } from "./confirm.ts";
import { KeyedList, el, icon } from "./dom.ts";
import type { Keyed } from "./dom.ts";
import { t } from "./strings.ts";
import { attempt } from "./toast.ts";
import type { Role, Token } from "./types.ts";
import { roleChoice } from "./users.ts";

const DAY_MS = 86_400_000;
const LIFETIMES = [90, 30, 365, 0];

function row(token: Token, reload: () => Promise<void>): Keyed<Token> {
  const remove = async () => {
    if (!(await confirmDelete(t.deleteToken(token.name), t.deleteTokenText))) return;
    await attempt(() => api.deleteToken(token.id));
    await reload();
  };
  const until = token.expires ? new Date(token.expires) : null;
  const over = until !== null && until <= serverNow();
  const detail = [t.roles[token.role], token.owner && t.ownedBy(token.owner), until ? t.until(until.toLocaleDateString(), over) : t.forever];
  return {
    node: el("li", { "data-testid": `token-${token.name}` }, el("span", { class: "name" }, token.name),
      el("span", { class: over ? "detail bad" : "detail" }, detail.filter(Boolean).join(" · ")),
      el("button", { type: "button", class: "bare", "aria-label": t.deleteToken(token.name), onclick: () => void remove() }, icon("trash"))),
    update: () => undefined,
  };
}

/** Shows a token once, ready to be copied. */
function secretNote(secret: string): HTMLElement {
  const field = el("input", { id: "token-secret", "data-testid": "token-secret", readonly: true, value: secret, "aria-describedby": "token-once" });
  const copy = () => {
    field.select();
    void navigator.clipboard?.writeText(secret).catch(() => undefined);
  };
  return el("div", { class: "once" },
    el("label", { for: "token-secret" }, t.newToken),
    el("div", { class: "copy" }, field, el("button", { type: "button", onclick: copy }, t.copy)),
    el("p", { class: "help", id: "token-once" }, t.tokenOnce));
}

/** All tokens, and the form that makes one. */
export function tokensPanel(): HTMLElement {
  const list = el("ul", { class: "access-list" });
  const none = el("p", { class: "empty", hidden: true }, t.noTokens);
  const reload = async () => {
    await attempt(async () => {
      const tokens = await api.tokens();
      rows.render(tokens);
      none.hidden = tokens.length > 0;
    });
  };
  const rows = new KeyedList<Token>(list, (token) => token.id, (token) => row(token, reload));
  const name = el("input", { id: "token-name", "data-testid": "token-name", autocomplete: "off", placeholder: t.tokenNameHint });
  const role = roleChoice("token-role", "viewer");
  const days = el("select", { id: "token-days" }, ...LIFETIMES.map((value) => el("option", { value }, t.lifetime(value))));
  const error = el("p", { class: "error", role: "alert" });
  const place = el("div");
  const form = el("form", { novalidate: true },
    el("h2", {}, t.addToken),
    el("div", { class: "triple" },
      el("div", {}, el("label", { for: "token-name" }, t.name), name),
      el("div", {}, el("label", { for: "token-role" }, t.role), role),
      el("div", {}, el("label", { for: "token-days" }, t.expires), days)),
    el("p", { class: "help" }, t.tokensHelp), error,
    el("div", { class: "actions" }, el("button", { type: "submit", class: "primary", "data-testid": "token-add" }, t.add)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    error.textContent = name.value.trim() ? "" : t.needName;
    if (error.textContent) return name.focus();
    const lifetime = Number(days.value) * DAY_MS;
    const expires = lifetime > 0 ? new Date(serverNow().getTime() + lifetime).toISOString() : "never";
    void attempt(async () => {
      place.replaceChildren(secretNote(await api.addToken(name.value.trim(), role.value as Role, expires)));
      form.reset();
      await reload();
    });
  });
  void reload();
  return el("div", {}, list, none, place, form);
}
