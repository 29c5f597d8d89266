import type { Parameters } from "../api/answers.ts";

/** A span in which a camera was not analysed. */
export interface Gap { from: string; to: string; cause: string; code?: string | null; params?: Parameters | null }

/** Where a gap lies in the day so far, as shares of it. */
export interface Missing { gap: Gap; start: number; width: number }

/** Gives where gaps lie between the day's beginning and now; what lies outside is cut off. */
export function missingSpans(gaps: readonly Gap[], from: string, nowMs: number): Missing[] {
  const beginMs = Date.parse(from);
  const lengthMs = nowMs - beginMs;
  if (lengthMs <= 0) return [];
  const share = (time: string): number => Math.min(1, Math.max(0, (Date.parse(time) - beginMs) / lengthMs));
  return gaps
    .map((gap) => ({ gap, start: share(gap.from), width: share(gap.to) - share(gap.from) }))
    .filter(({ width }) => width > 0);
}

/** The latest gaps, newest first. */
export const latestGaps = (gaps: readonly Gap[], most: number): Gap[] =>
  [...gaps].sort((a, b) => b.from.localeCompare(a.from)).slice(0, most);
