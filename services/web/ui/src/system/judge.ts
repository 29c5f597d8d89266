import type { CostAnswer, DiskAnswer } from "../api/schema.ts";

/** Which figures say that something is wrong. */
export type Trouble = "slow" | "late" | "few";

const LATE_MS = 2000;
const BEHIND = 0.75;
const LITTLE_SHARE = 0.1;
const LITTLE_BYTES = 2e9;

/** How many more were lost or refused since the page saw a counter first; one that begins anew counts from zero. */
export class Growth {
  readonly #first = new Map<string, number>();

  since(name: string, count: number): number {
    const first = this.#first.get(name) ?? count;
    const base = count < first ? 0 : first;
    this.#first.set(name, base);
    return count - base;
  }
}

/**
 * Says what is wrong with the analysis of a camera; `least` is the rate below which nothing is counted well.
 * An analysis that is too slow takes few pictures, whatever its camera sends.
 */
export function troublesOf(cost: CostAnswer, wantedFps: number | null, least: number, lostNow: number): Trouble[] {
  const troubles: Trouble[] = [];
  const possible = Math.min(wantedFps ?? cost.received_fps, cost.received_fps);
  if (lostNow > 0 || cost.frames_per_s < BEHIND * possible) troubles.push("slow");
  if ((cost.delay_ms ?? 0) > LATE_MS) troubles.push("late");
  if (!troubles.includes("slow") && cost.received_fps > 0 && cost.received_fps < least) troubles.push("few");
  return troubles;
}

/** Returns whether a disk is nearly full. */
export const isNearlyFull = (disk: DiskAnswer): boolean =>
  disk.free_bytes < LITTLE_BYTES || (disk.free_bytes < LITTLE_SHARE * disk.total_bytes && disk.free_bytes < 10 * LITTLE_BYTES);
