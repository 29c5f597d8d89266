/** The server's time, for browsers whose clock is wrong, and for how late a picture is. */
let roughMs = 0;
let exactMs: number | null = null;
let heard: number[] = [];

/** Below this a difference may be the whole seconds of an answer's header, and the way of it. */
const TRUSTED_MS = 2500;
/** So many words of the server are kept; the one that was quickest on its way is nearest to the truth. */
const KEPT = 12;

/** Learns the server's time from an answer's Date header, which has whole seconds; either clock may be set meanwhile. */
export function learnTime(date: string | null, begunMs: number, endedMs: number): void {
  const found = Date.parse(date ?? "") + 500 - (begunMs + endedMs) / 2;
  if (!Number.isFinite(found) || endedMs < begunMs) return;
  roughMs = Math.abs(found) > TRUSTED_MS ? found : 0;
  if (exactMs !== null && endedMs - begunMs < TRUSTED_MS && Math.abs(found - exactMs) > TRUSTED_MS) exactMs = null;
}

/** Learns it from a word that was sent at a time and came at once. */
export function learnExactTime(sent: string, cameMs: number): void {
  const found = Date.parse(sent) - cameMs;
  if (!Number.isFinite(found)) return;
  if (exactMs !== null && Math.abs(found - exactMs) > TRUSTED_MS) heard = [];
  heard = [...heard, found].slice(-KEPT);
  exactMs = Math.max(...heard);
}

let answeredMs = -Infinity;

/** Notes that the server answered a request, by the page's clock that nobody sets. */
export function noteAnswer(atMs: number): void {
  answeredMs = atMs;
}

/** Gives when it answered one last, by the same clock. */
export const lastAnswerMs = (): number => answeredMs;

/** Gives the server's time. */
export const serverNow = (): Date => new Date(Date.now() + (exactMs ?? roughMs));
