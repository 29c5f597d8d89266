import { streamUrl } from "./api.ts";
import { recheckCameras } from "./data.ts";
import { el, setText } from "./dom.ts";
import { openCamera, state, update, watch } from "./state.ts";
import { cause } from "./status.ts";
import { t } from "./strings.ts";
import type { Camera, Size } from "./types.ts";

/** The live picture: asks for it while the camera is live, again when it fails or stands still. */
const LOOK_MS = 500;
const FIRST_FRAME_MS = 10_000;
/** A moving picture that is asked for anew may be blank this long. */
const BLANK_MS = 2000;
const STILL_MS = 12_000;
const MAX_MS = 60_000;
const THUMB: Size = { width: 32, height: 18 };

export interface Player { node: HTMLElement; picture: HTMLImageElement }

/** A number that changes when the picture does; null when there is none. */
function fingerprint(picture: HTMLImageElement, canvas: CanvasRenderingContext2D | null): number | null {
  if (!canvas || picture.naturalWidth === 0) return null;
  try {
    canvas.drawImage(picture, 0, 0, THUMB.width, THUMB.height);
  } catch {
    return null;
  }
  const { data } = canvas.getImageData(0, 0, THUMB.width, THUMB.height);
  return data.reduce((sum, value) => (sum * 31 + value) | 0, 7);
}

export function createPlayer(): Player {
  const picture = el("img", { "data-testid": "picture", alt: "" });
  const why = el("strong", { "data-testid": "status-cause", role: "status" });
  const waiting = el("strong");
  const note = el("span");
  const placeholder = el("div", { class: "placeholder" }, why, waiting, note);
  const canvas = el("canvas", { ...THUMB }).getContext("2d", { willReadFrequently: true });
  let shown: string | null = null;
  let attempts = 0;
  let failures = 0;
  let askedAt = 0;
  let changedAt = 0;
  let stillMs = STILL_MS;
  let last: number | null = null;
  let retryAt: number | null = null;

  const stop = () => {
    shown = null;
    retryAt = null;
    picture.removeAttribute("src");
    update({ playing: false });
  };
  const ask = (camera: Camera) => {
    shown = camera.id;
    retryAt = null;
    askedAt = changedAt = Date.now();
    last = null;
    picture.src = streamUrl(camera.id, attempts++);
  };
  const fail = () => {
    if (shown === null || retryAt !== null) return;
    failures += 1;
    retryAt = Date.now() + Math.min(10_000, 500 * 2 ** failures);
    picture.removeAttribute("src");
    update({ playing: false });
    recheckCameras();
  };
  const say = (camera: Camera | null) => {
    setText(why, camera ? cause(camera) : "");
    setText(waiting, camera?.status === "live" ? (failures > 0 ? t.pictureAgain : t.pictureWaiting) : "");
    setText(note, camera?.status === "degraded" ? t.retryNote : camera?.status === "disabled" ? t.disabledNote : "");
  };
  const follow = () => {
    const camera = openCamera();
    if (camera?.status !== "live") {
      failures = 0;
      if (shown !== null) stop();
    } else if (shown !== camera.id) {
      stop();
      failures = 0;
      ask(camera);
    }
    picture.alt = camera ? t.picture(camera.name) : "";
    say(camera);
  };
  const look = () => {
    const camera = openCamera();
    if (shown === null || camera?.status !== "live") return;
    const now = Date.now();
    if (retryAt !== null) {
      if (now >= retryAt && state.answering) ask(camera);
      return say(camera);
    }
    const print = document.hidden ? last : fingerprint(picture, canvas);
    if (print !== null && print !== last) {
      if (last !== null) stillMs = STILL_MS;
      last = print;
      changedAt = now;
      failures = 0;
      update({ playing: true });
    }
    if (document.hidden) changedAt = now;
    if (now - askedAt > (state.playing ? BLANK_MS : FIRST_FRAME_MS) && picture.naturalWidth === 0) fail();
    else if (state.playing && now - changedAt > stillMs) {
      stillMs = Math.min(MAX_MS, stillMs * 2);
      ask(camera);
    }
  };
  picture.addEventListener("error", fail);
  watch(["cameras", "openId"], follow);
  setInterval(look, LOOK_MS);
  const node = el("div", { class: "player" }, picture, placeholder);
  watch(["playing"], () => node.classList.toggle("playing", state.playing));
  return { node, picture };
}
