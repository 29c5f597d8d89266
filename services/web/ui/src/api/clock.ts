/** The server's time, for browsers whose clock is wrong. */
let offsetMs = 0;

/** Below this a difference may be the whole seconds of an answer's header, and the way of it. */
const TRUSTED_MS = 2500;

/** Learns the server's time from an answer's Date header, which has whole seconds. */
export function learnTime(date: string | null, begunMs: number, endedMs: number): void {
  const found = Date.parse(date ?? "") + 500 - (begunMs + endedMs) / 2;
  if (Number.isFinite(found)) offsetMs = Math.abs(found) > TRUSTED_MS ? found : 0;
}

/** Gives the server's time. */
export const serverNow = (): Date => new Date(Date.now() + offsetMs);
