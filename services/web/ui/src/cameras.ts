import { addCameraDialog } from "./addCamera.ts";
import { KeyedList, el, icon, setAttributes, setText } from "./dom.ts";
import type { Keyed } from "./dom.ts";
import { open } from "./data.ts";
import { state, watch } from "./state.ts";
import { badge, cause } from "./status.ts";
import { t } from "./strings.ts";
import type { Camera } from "./types.ts";

function row(camera: Camera): Keyed<Camera> {
  const status = badge(`status-${camera.id}`);
  const name = el("span", { class: "name" });
  const detail = el("span", { class: "detail" });
  const button = el("button", { type: "button", onclick: () => open(camera.id) },
    el("span", { class: "top" }, name, status.node), detail);
  return {
    node: el("li", { "data-testid": `camera-${camera.id}` }, button),
    update(now) {
      status.update(now);
      setText(name, now.name);
      setText(detail, cause(now) || now.url);
      setAttributes(button, { "aria-current": now.id === state.openId ? "true" : "false", title: cause(now) || now.url });
    },
  };
}

/** The list of all cameras with their status. */
export function cameraList(): HTMLElement {
  const list = el("ul", { "data-testid": "camera-list" });
  const rows = new KeyedList<Camera>(list, (camera) => camera.id, row);
  watch(["cameras", "openId"], () => rows.render(state.cameras ?? []));
  return el("nav", { class: "cameras", "aria-label": t.cameras },
    el("div", { class: "head" },
      el("h2", {}, t.cameras),
      el("button", { type: "button", class: "small edit-only", "data-testid": "add-camera", onclick: () => addCameraDialog() },
        icon("plus"), t.addCamera),
    ),
    list,
  );
}
