import { el } from "./dom.ts";
import { MAKES } from "./makes.ts";
import { t } from "./strings.ts";

/** Shows the usual addresses of a make and puts one into the form when it is chosen. */
export function makeHints(choose: (url: string) => void): HTMLElement {
  const select = el("select", { id: "camera-make" }, ...MAKES.map((make) => el("option", { value: make.name }, make.name)));
  const offers = el("div", { class: "offers" });
  const offer = (label: string, url: string) =>
    el("div", { class: "offer" },
      el("span", { class: "kind" }, label),
      el("code", {}, url),
      el("button", { type: "button", class: "small", "aria-label": `${t.use}: ${url}`, onclick: () => choose(url) }, t.use),
    );
  const show = () => {
    const make = MAKES[select.selectedIndex] ?? MAKES[0];
    if (!make) return;
    offers.replaceChildren(
      offer(make.sub ? t.main : t.url, make.main),
      ...(make.sub ? [offer(t.sub, make.sub)] : []),
      el("p", { class: "help" }, make.sub ? `${make.note} ${t.subAdvice}` : make.note),
    );
  };
  select.addEventListener("change", show);
  show();
  return el("fieldset", { class: "makes" }, el("label", { for: "camera-make" }, t.makes), select, offers);
}
