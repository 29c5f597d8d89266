/** Times of the browser's own zone; the API speaks UTC. */
export interface Range { from: Date; to: Date }

/** From midnight to midnight; 23 or 25 hours long when the clocks change. */
export function dayRange(now: Date): Range {
  return {
    from: new Date(now.getFullYear(), now.getMonth(), now.getDate()),
    to: new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1),
  };
}

const HOUR_MS = 3_600_000;

/** The beginnings of all hours of a range. */
export function hoursOf({ from, to }: Range): Date[] {
  const count = Math.round((to.getTime() - from.getTime()) / HOUR_MS);
  return Array.from({ length: count }, (_, i) => new Date(from.getTime() + i * HOUR_MS));
}

const pad = (value: number): string => String(value).padStart(2, "0");

export const clock = (time: Date): string => `${pad(time.getHours())}:${pad(time.getMinutes())}`;
export const clockSeconds = (time: Date): string => `${clock(time)}:${pad(time.getSeconds())}`;

export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

/** Never rounds up to 100 %: whole means whole. */
export function percent(share: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, share)) * 100 + 1e-9)} %`;
}
