import { hoursOf } from "./time.ts";
import type { Range } from "./time.ts";
import type { Bucket, ByClass, Compliance } from "./types.ts";

export interface Hour { start: Date; forward: number; backward: number; coverage: number | null; compliance: Compliance }

const total = (counts: ByClass): number => Object.values(counts).reduce((a, b) => a + b, 0);

/**
 * Every hour of a day with its counts. An hour that has begun and that the server says nothing of
 * was not analysed: its coverage is 0. One that has not begun has none (null).
 */
export function hoursOfDay(day: Range, buckets: readonly Bucket[], now: Date): Hour[] {
  const byStart = new Map(buckets.map((bucket) => [Date.parse(bucket.start), bucket]));
  return hoursOf(day).map((start) => {
    const bucket = byStart.get(start.getTime());
    const begun = start.getTime() < now.getTime();
    return {
      start,
      forward: total(bucket?.forward ?? {}),
      backward: total(bucket?.backward ?? {}),
      coverage: begun ? (bucket?.coverage ?? 0) : null,
      compliance: bucket?.compliance ?? { rate: null, counted: 0 },
    };
  });
}

/** Above this an hour counts as whole: a reconnect of some seconds is no gap to look at. */
const WHOLE = 0.99;

export const missing = (hour: Hour): number =>
  hour.coverage === null || hour.coverage >= WHOLE ? 0 : 1 - hour.coverage;
