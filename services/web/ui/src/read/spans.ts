/** Spans of time as people choose them: whole days of a time zone, as dates that the server reads in that zone. Pure. */
export const PRESETS = ["today", "yesterday", "day", "week", "7d", "month", "30d", "own"] as const;
export type Preset = (typeof PRESETS)[number];
export const BUCKETS = ["1m", "5m", "15m", "1h", "1d"] as const;
export type Bucket = (typeof BUCKETS)[number];

/** What the API takes for `from` and `to`: dates, or local times without a zone. */
export interface Span { from: string; to: string }

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** No clock of a zone is set back by more. */
const LONGEST_BACK_MS = 3 * HOUR_MS;
const pad = (value: number): string => String(value).padStart(2, "0");

const formats = new Map<string, Intl.DateTimeFormat>();

/** The date, and the time of the day, that the clocks of a zone show. */
export function localParts(at: Date, zone: string): { date: string; time: string } {
  let format = formats.get(zone);
  if (!format) formats.set(zone, format = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  }));
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return { date: `${part.year}-${part.month}-${part.day}`, time: `${part.hour}:${part.minute}:${part.second}` };
}

function offsetMs(atMs: number, zone: string): number {
  const { date, time } = localParts(new Date(atMs), zone);
  return Date.parse(`${date}T${time}Z`) - Math.floor(atMs / 1000) * 1000;
}

/** The day that runs, and its time: what clocks that went back show again has been already. */
function dayAt(now: Date, zone: string): { date: string; time: string } {
  const shown = localParts(now, zone);
  const startMs = now.getTime() - LONGEST_BACK_MS;
  const before = offsetMs(startMs, zone);
  if (before <= offsetMs(now.getTime(), zone)) return shown;
  let [lowMs, highMs] = [startMs, now.getTime()];
  while (highMs - lowMs > 1000) {
    const middleMs = (lowMs + highMs) / 2;
    if (offsetMs(middleMs, zone) === before) lowMs = middleMs;
    else highMs = middleMs;
  }
  const latest = localParts(new Date(lowMs), zone);
  return `${latest.date} ${latest.time}` > `${shown.date} ${shown.time}` ? latest : shown;
}

/** The day before that there is: a zone may leave one out. */
function dayBefore(date: string, zone: string): string {
  const before = daysAfter(date, -1);
  const noonMs = Date.parse(`${before}T12:00:00Z`);
  return [-14, -7, 0, 7, 12].some((hours) => localParts(new Date(noonMs + hours * HOUR_MS), zone).date === before) ? before : daysAfter(date, -2);
}

/** A date so many days later, on the calendar alone. */
export function daysAfter(date: string, days: number): string {
  const at = new Date(`${date}T00:00:00Z`).getTime() + days * DAY_MS;
  return new Date(at).toISOString().slice(0, 10);
}

/** Monday is the first day of a week. */
const weekday = (date: string): number => (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;

/** The span of a preset, in a zone. The last 24 hours begin and end with whole hours. */
export function spanOf(preset: Exclude<Preset, "own">, now: Date, zone: string): Span {
  const { date, time } = dayAt(now, zone);
  const tomorrow = daysAfter(date, 1);
  switch (preset) {
    case "today": return { from: date, to: tomorrow };
    case "yesterday": return { from: dayBefore(date, zone), to: date };
    case "day": {
      const hour = Number(time.slice(0, 2)) + 1;
      const end = hour === 24 ? `${tomorrow}T00:00` : `${date}T${pad(hour)}:00`;
      return { from: `${dayBefore(end.slice(0, 10), zone)}${end.slice(10)}`, to: end };
    }
    case "week": return { from: daysAfter(date, -weekday(date)), to: tomorrow };
    case "7d": return { from: daysAfter(date, -6), to: tomorrow };
    case "month": return { from: `${date.slice(0, 8)}01`, to: tomorrow };
    case "30d": return { from: daysAfter(date, -29), to: tomorrow };
  }
}

const IS_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?)?$/;

export const isLocalTime = (text: string | null | undefined): text is string =>
  text != null && IS_TIME.test(text) && !Number.isNaN(Date.parse(asUtc(text)));

/** Whether a text is a moment as the API writes it. */
export const isMoment = (text: string | null): text is string =>
  text !== null && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text));

const asUtc = (local: string): string => (local.length === 10 ? `${local}T00:00:00Z` : `${local}Z`);

/** How many days a span has on the calendar; parts count. */
export const daysOf = ({ from, to }: Span): number => (Date.parse(asUtc(to)) - Date.parse(asUtc(from))) / DAY_MS;

function shifted(local: string, days: number): string {
  const moved = new Date(Date.parse(asUtc(local)) + days * DAY_MS).toISOString();
  return local.length === 10 ? moved.slice(0, 10) : moved.slice(0, local.length);
}

/**
 * The span before, of the same length. Spans of more than a day go back by whole weeks, so that Mondays stand
 * beside Mondays.
 */
export function spanBefore(span: Span): Span {
  const days = Math.max(1, Math.ceil(daysOf(span)));
  const back = days === 1 ? 1 : Math.ceil(days / 7) * 7;
  return { from: shifted(span.from, -back), to: shifted(span.to, -back) };
}

const LONGEST_DAYS: Record<Bucket, number> = { "1m": 2, "5m": 8, "15m": 32, "1h": 120, "1d": 400 };

/** Intervals that make sense for a span: neither thousands of bars nor one. */
export function bucketsFor(span: Span): Bucket[] {
  const days = daysOf(span);
  return BUCKETS.filter((bucket) => days <= LONGEST_DAYS[bucket] && (bucket !== "1d" || days > 1));
}

/** The interval that is chosen for a span where nobody has chosen one. */
export function bucketFor(span: Span): Bucket {
  const days = daysOf(span);
  if (days <= 0.25) return "5m";
  return days <= 8 ? "1h" : "1d";
}
