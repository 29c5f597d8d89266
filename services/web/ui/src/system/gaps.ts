import type { CameraGapAnswer } from "../api/schema.ts";
import { placeOf } from "./spans.ts";
import type { Span } from "./spans.ts";

/** Gaps as they are drawn: by kind of cause, and what lies too close to be told apart as one mark. */
export const KINDS = ["camera", "stopped", "few", "off", "clock", "other"] as const;
export type Kind = (typeof KINDS)[number];

const BY_CODE: [RegExp, Kind][] = [
  [/^not-running$/, "stopped"],
  [/^switched-off$/, "off"],
  [/^(too-few-frames|camera-slow|camera-very-slow|camera-bursts)$/, "few"],
  [/^(clock-|time-again)/, "clock"],
  [/^(camera-|stream-|picture-|scene-)/, "camera"],
];

/** Causes without a code, as they have always been written. */
const BY_TEXT: [RegExp, Kind][] = [
  [/^service not running$/, "stopped"],
  [/^switched off$/, "off"],
  [/^too few frames/, "few"],
  [/^the clock /, "clock"],
];

/** Gives what kind of cause a gap has. */
export function kindOf(gap: CameraGapAnswer): Kind {
  const isCoded = gap.code !== "other";
  const known = (isCoded ? BY_CODE : BY_TEXT).find(([pattern]) => pattern.test(isCoded ? (gap.code) : gap.cause));
  return known?.[1] ?? (isCoded ? "other" : "camera");
}

export interface TimedGap extends CameraGapAnswer, Span { kind: Kind }

/** Reads the times of gaps, in their order. */
export const timed = (gaps: readonly CameraGapAnswer[]): TimedGap[] => gaps
  .map((gap) => ({ ...gap, kind: kindOf(gap), fromMs: Date.parse(gap.from), toMs: Date.parse(gap.to) }))
  .sort((one, other) => one.fromMs - other.fromMs);

/** Gives the gaps of a span, those at its borders as they are. */
export const inside = (gaps: readonly TimedGap[], span: Span): TimedGap[] =>
  gaps.filter((gap) => gap.toMs > span.fromMs && gap.fromMs < span.toMs);

/** Gives how long gaps last within a span. */
export const lengthOf = (gaps: readonly TimedGap[], span: Span): number =>
  gaps.reduce((sum, gap) => sum + Math.max(0, Math.min(gap.toMs, span.toMs) - Math.max(gap.fromMs, span.fromMs)), 0);

/** One thing on the timeline: a gap, or several of one kind; `left` and `width` are shares of the span. */
export interface Mark extends Span { kind: Kind; gaps: TimedGap[]; left: number; width: number }

const CLOSE_PX = 3;

/** Gives what is drawn of one camera's gaps, in their order. */
export function marksOf(gaps: readonly TimedGap[], span: Span, widthPx: number): Mark[] {
  const closeMs = (CLOSE_PX / Math.max(1, widthPx)) * (span.toMs - span.fromMs);
  const marks: Mark[] = [];
  for (const gap of inside(gaps, span)) {
    const last = marks.at(-1);
    if (last && last.kind === gap.kind && gap.fromMs - last.toMs < closeMs) {
      last.gaps.push(gap);
      last.toMs = Math.max(last.toMs, gap.toMs);
    } else {
      marks.push({ kind: gap.kind, fromMs: gap.fromMs, toMs: gap.toMs, gaps: [gap], left: 0, width: 0 });
    }
  }
  for (const mark of marks) {
    mark.left = Math.max(0, placeOf(mark.fromMs, span));
    mark.width = Math.min(1, placeOf(mark.toMs, span)) - mark.left;
  }
  return marks;
}
