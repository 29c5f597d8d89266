import type { Missing } from "../api/live-messages.ts";
import type { Camera } from "../api/types.ts";
import type { Parameters } from "../api/answers.ts";

/** Why there is no live picture of a camera. */
export type Why =
  | { kind: "away" | "disabled" | "waiting" | "stopped"; since: null; told: null }
  | { kind: "connecting" | "degraded" | "missing"; since: string | null; told: Told | null };

/** What the server said of it: a code that the page translates, or only its own sentence. */
export interface Told { code: string | null; params: Parameters; text: string }

/** A camera as the API will give it: its last error with a code. */
type CodedCamera = Camera & { last_error_code?: string | null; last_error_params?: Parameters | null };

/** Pictures of a camera that is said to be live may be this late before they count as old. */
const STILL_MS = 4000;
/** Pictures of one that is said to be away: they come again before its status does, or not at all. */
const DOUBTED_MS = 1500;
const PERIODS = 4;

/** How old a picture may be, from when it came, to be shown as what is there now. */
export function longestStillMs(status: Camera["status"], fps: number): number {
  return Math.max(status === "live" ? STILL_MS : DOUBTED_MS, (PERIODS * 1000) / fps);
}

export function toldOf(camera: CodedCamera): Told | null {
  if (!camera.last_error) return null;
  return { code: camera.last_error_code ?? null, params: camera.last_error_params ?? {}, text: camera.last_error };
}

interface Seen { isAway: boolean; missing: Missing | null; cameOnce: boolean }

/** Gives why no picture comes; the first reason that holds, from the page's own way to the server to the camera. */
export function whyMissing(camera: Camera, { isAway, missing, cameOnce }: Seen): Why {
  if (isAway) return { kind: "away", since: null, told: null };
  if (camera.status === "disabled") return { kind: "disabled", since: null, told: null };
  if (camera.status !== "live") return { kind: camera.status, since: camera.since, told: camera.status === "connecting" ? toldOf(camera) : toldOf(camera) ?? missing };
  if (missing) return { kind: "missing", since: null, told: missing };
  return { kind: cameOnce ? "stopped" : "waiting", since: null, told: null };
}
