import * as api from "./api.ts";
import { confirmDelete } from "./confirm.ts";
import { open, refreshCameras } from "./data.ts";
import { el } from "./dom.ts";
import { makeHints } from "./makeHints.ts";
import { openModal } from "./modal.ts";
import { state } from "./state.ts";
import { t } from "./strings.ts";
import { attempt } from "./toast.ts";
import type { CameraInput } from "./schema.ts";
import type { Camera } from "./types.ts";

interface Fields {
  name: HTMLInputElement;
  url: HTMLInputElement;
  model: HTMLInputElement;
  fps: HTMLInputElement;
}

function fields(camera: Camera | null): Fields {
  const text = { autocomplete: "off", spellcheck: "false" };
  return {
    name: el("input", { ...text, id: "camera-name", "data-testid": "camera-name", placeholder: t.cameraNameHint, value: camera?.name ?? "" }),
    url: el("input", { ...text, id: "camera-url", "data-testid": "camera-url", placeholder: t.urlHint, value: camera?.url ?? "", autocapitalize: "off" }),
    model: el("input", { ...text, id: "camera-model", list: "camera-models", placeholder: t.modelHint, value: camera?.model ?? "" }),
    fps: el("input", { id: "camera-fps", type: "number", min: state.system?.fps.least, max: state.system?.fps.most, step: 1, value: camera ? camera.fps : 10 }),
  };
}

/** Only what differs is sent when a camera is changed. */
function input(own: Fields, camera: Camera | null): Partial<CameraInput> {
  const fps = Number(own.fps.value);
  const model = own.model.value.trim();
  const all: CameraInput = { name: own.name.value.trim(), url: own.url.value.trim() };
  if (model) all.model = model;
  if (fps > 0 && own.fps.value !== own.fps.defaultValue) all.fps = fps;
  if (!camera) return all;
  return Object.fromEntries(Object.entries(all).filter(([key, value]) => camera[key as keyof CameraInput] !== value));
}

function complaint(own: Fields): [HTMLInputElement, string] | null {
  if (!own.name.value.trim()) return [own.name, t.needName];
  if (!own.url.value.trim()) return [own.url, t.needUrl];
  return null;
}

async function store(own: Fields, camera: Camera | null): Promise<void> {
  const change = input(own, camera);
  if (camera) {
    if (Object.keys(change).length > 0) await api.changeCamera(camera.id, change);
    await refreshCameras();
    return;
  }
  const created = await api.createCamera(change as CameraInput);
  await refreshCameras();
  open(created.id);
}

async function remove(camera: Camera, dialog: HTMLDialogElement): Promise<void> {
  if (!(await confirmDelete(t.deleteCamera(camera.name), t.deleteCameraText))) return;
  const done = await attempt(async () => {
    await api.deleteCamera(camera.id);
    await refreshCameras();
  });
  if (done) dialog.close();
}

/** The dialog that adds a camera, or changes one that is given. */
export function addCameraDialog(camera: Camera | null = null): void {
  const own = fields(camera);
  const error = el("p", { class: "error", role: "alert" });
  const save = el("button", { type: "submit", class: "primary", "data-testid": "camera-save" }, t.save);
  const form = el("form", { novalidate: true },
    el("h2", {}, camera ? t.editTitle : t.cameraTitle),
    el("label", { for: "camera-name" }, t.cameraName), own.name,
    el("label", { for: "camera-url" }, t.url), own.url,
    el("p", { class: "help" }, camera?.url.includes("***") ? t.urlKeep : t.urlHelp),
    makeHints((url) => { own.url.value = url; own.url.focus(); }),
    el("details", {},
      el("summary", {}, t.more),
      el("div", { class: "pair" },
        el("div", {}, el("label", { for: "camera-model" }, t.model), own.model),
        el("div", {}, el("label", { for: "camera-fps" }, t.rate), own.fps)),
      el("datalist", { id: "camera-models" }, ...(state.system?.models ?? []).map((model) => el("option", { value: model.name })))),
    error,
    el("div", { class: "actions" },
      camera && el("button", { type: "button", class: "danger quiet", "data-testid": "camera-delete", onclick: () => void remove(camera, dialog) }, t.delete),
      el("span", { class: "grow" }),
      el("button", { type: "button", onclick: () => dialog.close() }, t.cancel),
      save,
    ),
  );
  const dialog = el("dialog", { class: "camera-dialog", "aria-label": camera ? t.editTitle : t.cameraTitle }, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const missing = complaint(own);
    error.textContent = missing?.[1] ?? "";
    if (missing) return missing[0].focus();
    save.disabled = true;
    void attempt(() => store(own, camera)).then((done) => {
      save.disabled = false;
      if (done) dialog.close();
    });
  });
  openModal(dialog);
}
