/** Spans of time to look at, and the marks of their axis, in the browser's zone. */
export interface Span { fromMs: number; toMs: number }

export const SPANS = ["today", "24h", "7d", "30d"] as const;
export type SpanName = (typeof SPANS)[number];
export const isSpanName = (name: unknown): name is SpanName => SPANS.some((one) => one === name);

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SHORTEST_MS = MINUTE_MS;

const DAYS: Record<Exclude<SpanName, "today">, number> = { "24h": 1, "7d": 7, "30d": 30 };

/** Gives the span up to now. */
export function spanOf(name: SpanName, nowMs: number): Span {
  if (name !== "today") return { fromMs: nowMs - DAYS[name] * DAY_MS, toMs: nowMs };
  const midnightMs = new Date(nowMs).setHours(0, 0, 0, 0);
  return { fromMs: Math.min(midnightMs, nowMs - SHORTEST_MS), toMs: nowMs };
}

/** Reads a part of a span from an address, `1764500000000-1764503600000`; null: it is none. */
export function zoomOf(text: string): Span | null {
  const [fromMs, toMs] = /^(\d{1,15})-(\d{1,15})$/.exec(text)?.slice(1).map(Number) ?? [];
  return fromMs !== undefined && toMs !== undefined && toMs - fromMs >= SHORTEST_MS && toMs - fromMs <= 400 * DAY_MS ? { fromMs, toMs } : null;
}

export const zoomText = (span: Span): string => `${Math.round(span.fromMs)}-${Math.round(span.toMs)}`;

/** Gives a span that holds both. */
export const around = (one: Span, other: Span): Span =>
  ({ fromMs: Math.min(one.fromMs, other.fromMs), toMs: Math.max(one.toMs, other.toMs) });

/** Stretches a span about its middle (`factor` below 1 shrinks it), within `all`. */
export function scaled(span: Span, factor: number, all: Span): Span {
  const lengthMs = Math.max(SHORTEST_MS, (span.toMs - span.fromMs) * factor);
  return within({ fromMs: (span.fromMs + span.toMs - lengthMs) / 2, toMs: (span.fromMs + span.toMs + lengthMs) / 2 }, all);
}

/** Moves a span by a part of its length, within `all`. */
export function moved(span: Span, part: number, all: Span): Span {
  const byMs = (span.toMs - span.fromMs) * part;
  return within({ fromMs: span.fromMs + byMs, toMs: span.toMs + byMs }, all);
}

/** Pushes a span into `all`, as long as it was where that has room. */
export function within(span: Span, all: Span): Span {
  const lengthMs = Math.min(span.toMs - span.fromMs, all.toMs - all.fromMs);
  const fromMs = Math.min(Math.max(span.fromMs, all.fromMs), all.toMs - lengthMs);
  return { fromMs, toMs: fromMs + lengthMs };
}

/** Gives the place of a time in a span, 0 to 1. */
export const placeOf = (atMs: number, span: Span): number => (atMs - span.fromMs) / (span.toMs - span.fromMs);

/** Gives the span between two places of a span, which may come in any order; at least a minute. */
export function between(one: number, other: number, span: Span): Span {
  const at = (place: number): number => span.fromMs + Math.min(1, Math.max(0, place)) * (span.toMs - span.fromMs);
  const [fromMs, toMs] = [at(Math.min(one, other)), at(Math.max(one, other))];
  return scaled({ fromMs, toMs }, 1, span);
}

export interface Tick { atMs: number; isDay: boolean }

const STEPS_MINUTES = [1, 5, 15, 30, 60, 180, 360, 720] as const;
const STEPS_DAYS = [1, 2, 7, 14, 30, 60] as const;

/** Gives the round times of a span, `most` at most; days begin at the browser's midnight, or after it where clocks left it out. */
export function ticksOf(span: Span, most: number): Tick[] {
  const lengthMs = span.toMs - span.fromMs;
  const minutes = STEPS_MINUTES.find((step) => lengthMs / (step * MINUTE_MS) <= most);
  const days = minutes === undefined ? (STEPS_DAYS.find((step) => lengthMs / (step * DAY_MS) <= most) ?? 120) : 0;
  const day = new Date(span.fromMs);
  const ticks: Tick[] = [];
  for (let step = 0; ticks.length <= most + 1; step++) {
    const minute = step * (minutes ?? 0);
    const atMs = new Date(day.getFullYear(), day.getMonth(), day.getDate() + step * days, 0, minute).getTime();
    if (atMs > span.toMs) break;
    if (atMs >= span.fromMs && atMs > (ticks.at(-1)?.atMs ?? -Infinity)) ticks.push({ atMs, isDay: minute % 1440 === 0 });
  }
  return ticks;
}
