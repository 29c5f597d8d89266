import { className, classesOf } from "./classes.ts";
import { LINE_COLORS } from "./colors.ts";
import { el, icon } from "./dom.ts";
import * as lines from "./lines.ts";
import { openCamera } from "./state.ts";
import { t } from "./strings.ts";
import type { Anchor, Draft } from "./types.ts";

function colorChoice(draft: Draft): HTMLElement {
  const colors = LINE_COLORS.some((color) => color === draft.color) ? LINE_COLORS : [draft.color, ...LINE_COLORS];
  return el("div", { class: "swatches", role: "radiogroup", "aria-label": t.color },
    ...colors.map((color) => {
      const radio = el("input", {
        type: "radio", name: "line-color", value: color, "aria-label": color, checked: color === draft.color,
        onchange: () => lines.change({ color }),
      });
      radio.style.setProperty("--swatch", color);
      return radio;
    }));
}

function anchorChoice(draft: Draft): HTMLElement {
  const select = el("select", { id: "line-anchor" },
    ...(Object.keys(t.anchors) as Anchor[]).map((anchor) =>
      el("option", { value: anchor, selected: anchor === draft.anchor }, t.anchors[anchor])));
  select.addEventListener("change", () => lines.change({ anchor: select.value as Anchor }));
  return select;
}

/** No class chosen means all of them. */
function classChoice(draft: Draft): HTMLElement {
  const boxes = classesOf(openCamera()).map((name) =>
    el("input", { type: "checkbox", value: name, checked: draft.classes?.includes(name) ?? false }));
  const all = el("span", { class: "all" }, t.allClasses);
  const read = () => {
    const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
    all.hidden = chosen.length > 0;
    return chosen.length > 0 ? chosen : null;
  };
  for (const box of boxes) box.addEventListener("change", () => lines.change({ classes: read() }));
  read();
  return el("fieldset", { class: "classes" }, el("legend", {}, t.classes, " ", all),
    el("div", { class: "chips" }, ...boxes.map((box) => el("label", { class: "chip" }, box, className(box.value)))));
}

/** The form of the line in hand. */
export function lineForm(draft: Draft): HTMLFormElement {
  const name = el("input", { id: "line-name", "data-testid": "line-name", value: draft.name, maxlength: 80, autocomplete: "off" });
  name.addEventListener("input", () => lines.change({ name: name.value }));
  const save = el("button", { type: "submit", class: "primary", "data-testid": "line-save" }, t.save);
  const form = el("form", { class: "line-form", "aria-label": draft.id === null ? t.newLine : t.lineLabel(draft.name) },
    el("div", { class: "pair name-row" },
      el("div", {}, el("label", { for: "line-name" }, t.name), name),
      el("div", {}, el("span", { class: "label" }, t.color), colorChoice(draft))),
    el("div", {}, el("label", { for: "line-anchor" }, t.anchor), anchorChoice(draft)),
    classChoice(draft),
    el("div", { class: "actions" },
      el("button", { type: "button", class: "small", "data-testid": "line-flip", onclick: () => void lines.flip() }, icon("flip"), t.flip),
      draft.id !== null &&
        el("button", { type: "button", class: "small danger quiet", "data-testid": "line-delete", onclick: () => void lines.remove() }, icon("trash"), t.delete)),
    el("div", { class: "actions end" },
      el("button", { type: "button", onclick: lines.cancel }, t.cancel), save),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save.disabled = true;
    void lines.save().finally(() => { save.disabled = false; });
  });
  return form;
}
