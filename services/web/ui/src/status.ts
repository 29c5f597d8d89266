import { serverNow } from "./client.ts";
import { el, setAttributes, setText } from "./dom.ts";
import { t } from "./strings.ts";
import { clock, duration } from "./time.ts";
import type { Camera } from "./types.ts";

/** A badge that tells the status in words and by colour. */
export function badge(testId?: string): { node: HTMLElement; update(camera: Camera): void } {
  const node = el("span", { class: "badge", "data-testid": testId });
  return {
    node,
    update(camera) {
      setAttributes(node, { class: `badge ${camera.status}` });
      setText(node, camera.status);
    },
  };
}

function sinceText(since: string | null): string {
  const time = since ? new Date(since) : null;
  if (!time || Number.isNaN(time.getTime())) return "";
  return t.since(clock(time), duration(serverNow().getTime() - time.getTime()));
}

function reason(camera: Camera): string {
  if (camera.status === "disabled") return t.disabledCause;
  if (camera.status === "degraded") return camera.last_error ?? t.degradedCause;
  if (camera.status === "connecting") return camera.last_error ?? t.connectingCause;
  return "";
}

/** Why there is no picture and since when; empty while the camera is live. */
export function cause(camera: Camera): string {
  const why = reason(camera);
  return why && camera.status !== "disabled" ? [why, sinceText(camera.since)].filter(Boolean).join(" · ") : why;
}
