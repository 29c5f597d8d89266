import * as api from "./api.ts";
import { addCameraDialog } from "./addCamera.ts";
import { refreshCameras } from "./data.ts";
import { el, icon, setAttributes, setText } from "./dom.ts";
import { createEditor } from "./editor.ts";
import { cancel, startInMiddle } from "./lines.ts";
import { createPlayer } from "./player.ts";
import { openCamera, state, update, watch } from "./state.ts";
import { badge } from "./status.ts";
import { t } from "./strings.ts";
import { attempt } from "./toast.ts";
import type { Camera } from "./types.ts";

function facts(camera: Camera): string {
  const { resolution, fps, model } = camera;
  return [resolution && `${resolution.width}×${resolution.height}`, t.fps(fps), model].filter(Boolean).join(" · ");
}

function header(): HTMLElement {
  const name = el("h1");
  const status = badge();
  const detail = el("span", { class: "facts" });
  const powerLabel = el("span");
  const toggle = () => {
    const camera = openCamera();
    if (!camera) return;
    void attempt(async () => {
      await api.changeCamera(camera.id, { enabled: !camera.enabled });
      await refreshCameras();
    });
  };
  const power = el("button", { type: "button", class: "small edit-only", "data-testid": "camera-toggle", onclick: toggle }, icon("power"), powerLabel);
  const edit = el("button", { type: "button", class: "small edit-only", "data-testid": "camera-edit", onclick: () => addCameraDialog(openCamera()) },
    icon("pen"), t.edit);
  watch(["cameras", "openId"], () => {
    const camera = openCamera();
    if (!camera) return;
    setText(name, camera.name);
    status.update(camera);
    setText(detail, facts(camera));
    setText(powerLabel, camera.enabled ? t.disable : t.enable);
  });
  return el("header", { class: "camera-head" },
    name, status.node, detail, el("span", { class: "grow" }), power, edit);
}

function toolbar(): HTMLElement {
  const label = el("span");
  const hint = el("p", { class: "hint" });
  /** Enter and the space bar press a button without a pointer: then the line is put down at once. */
  const press = (event: MouseEvent) => {
    if (event.detail === 0) startInMiddle();
    else if (state.drawing) cancel();
    else update({ draft: null, drawing: true });
  };
  const draw = el("button", {
    type: "button", class: "primary", "data-testid": "draw-line", "aria-keyshortcuts": "L",
    onclick: press,
  }, icon("line"), label, el("kbd", {}, "L"));
  watch(["drawing", "draft", "playing"], () => {
    setText(label, state.drawing ? t.stopDrawing : t.drawLine);
    setText(hint, state.drawing ? t.drawHint : state.draft ? t.editHint : t.idleHint);
    setAttributes(draw, { "aria-pressed": String(state.drawing) });
    draw.disabled = !state.playing && !state.drawing;
  });
  return el("div", { class: "toolbar edit-only" }, draw, hint);
}

/** The open camera: its name and state, the live picture and the lines on it. */
export function liveView(): HTMLElement {
  const player = createPlayer();
  player.node.append(createEditor(player.picture, player.node));
  return el("section", { class: "view" }, header(), player.node, toolbar());
}
