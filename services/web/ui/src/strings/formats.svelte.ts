import { language } from "./index.svelte.ts";

/** Numbers, times and spans as people of the page's language write them. */
const cache = new Map<string, Intl.DateTimeFormat>();

/** Formats of dates are dear to make. */
function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language()} ${JSON.stringify(options)}`;
  let format = cache.get(key);
  if (!format) cache.set(key, format = new Intl.DateTimeFormat(language(), options));
  return format;
}

type Moment = Date | string | number;
const date = (moment: Moment): Date => new Date(moment);

/** `1,234` */
export const number = (value: number, digits = 0): string =>
  new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(value);

/** `98 %`; never rounded up to the whole, which means whole, nor down to nothing, which means nothing. */
export function percent(share: number): string {
  const whole = Math.floor(Math.min(1, Math.max(0, share)) * 100 + 1e-9);
  const text = new Intl.NumberFormat(language(), { style: "percent" }).format(Math.max(whole, share > 0 ? 1 : 0) / 100);
  return whole === 0 && share > 0 ? `<\u2060${text}` : text;
}

/** `181 %`: a share of processor cores, which may be more than one. */
export const coreShare = (cores: number): string =>
  cores < 1 ? percent(cores) : new Intl.NumberFormat(language(), { style: "percent" }).format(cores);

/** `14:05:09`; `zone` is an IANA name, the browser's where none is given. */
export const clockSeconds = (moment: Moment, zone?: string): string =>
  dates({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", ...(zone && { timeZone: zone }) }).format(date(moment));

/** `14:05` */
export const clock = (moment: Moment, zone?: string): string =>
  dates({ hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(zone && { timeZone: zone }) }).format(date(moment));

/** `Mon, 30 Nov` */
export const day = (moment: Moment, zone?: string): string =>
  dates({ weekday: "short", day: "numeric", month: "short", ...(zone && { timeZone: zone }) }).format(date(moment));

/** `30 Nov 2026, 14:05:09` */
export const moment = (at: Moment, zone?: string): string =>
  dates({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", ...(zone && { timeZone: zone }) }).format(date(at));

/** `30 Nov 2026, 14:05:09.250` */
export const momentPrecise = (at: Moment, zone?: string): string =>
  dates({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23", ...(zone && { timeZone: zone }) }).format(date(at));

const UNITS = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]] as const;

/** `2 hr 5 min`: the two largest units of a length of time. */
export function duration(ms: number): string {
  let left = Math.max(0, Math.round(ms / 1000));
  const parts: string[] = [];
  for (const [unit, seconds] of UNITS) {
    const value = Math.floor(left / seconds);
    left -= value * seconds;
    if (value > 0 || (unit === "second" && parts.length === 0)) {
      parts.push(new Intl.NumberFormat(language(), { style: "unit", unit, unitDisplay: "short" }).format(value));
    }
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

const BYTES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** `3.2 GB` */
export function bytes(value: number): string {
  const step = value < 1 ? 0 : Math.min(BYTES.length - 1, Math.floor(Math.log10(value) / 3));
  return new Intl.NumberFormat(language(), {
    style: "unit", unit: BYTES[step] ?? "byte", unitDisplay: "short", maximumFractionDigits: 1,
  }).format(value / 1000 ** step);
}
