import type { Camera } from "../api/types.ts";

/** The way from a fresh start to the first count of one's own. */
export type Step = "camera" | "line" | "count";

const isDemo = (camera: Camera): boolean => camera.url.startsWith("demo:");

/** The newest camera that is no demo. */
export const ownCamera = (cameras: readonly Camera[]): Camera | null => cameras.findLast((camera) => !isDemo(camera)) ?? null;

/** What comes next; null: all is done. `lines` and `counted` are of the own camera. */
export function nextStep(own: Camera | null, lines: number | null, counted: number | null): Step | null {
  if (!own) return "camera";
  if (lines === null) return null;
  if (lines === 0) return "line";
  return counted === 0 ? "count" : null;
}
