/** How often and how late pictures are shown, over the last seconds. */
const SPAN_MS = 4000;

export interface Rates { fps: number; delayMs: number }

export class PictureRates {
  #shown: { atMs: number; delayMs: number }[] = [];

  add(atMs: number, delayMs: number): void {
    this.#shown.push({ atMs, delayMs });
    this.#shown = this.#shown.filter((one) => one.atMs > atMs - SPAN_MS);
  }

  /** Null: too few pictures to say. */
  at(nowMs: number): Rates | null {
    const shown = this.#shown.filter((one) => one.atMs > nowMs - SPAN_MS);
    const [first, last] = [shown[0], shown.at(-1)];
    if (!first || !last || last.atMs === first.atMs) return null;
    const delays = shown.map((one) => one.delayMs).sort((a, b) => a - b);
    return { fps: ((shown.length - 1) * 1000) / (last.atMs - first.atMs), delayMs: Math.max(0, delays[delays.length >> 1] ?? 0) };
  }
}
