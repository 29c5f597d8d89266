import type { Picture, Track, Tracks } from "../api/live-messages.ts";

/**
 * What is known of the tracks of one camera by capture time, so that boxes are drawn for exactly the time of the
 * picture shown. A picture between two analysed frames gets boxes between theirs.
 */
const MOST_KEPT = 64;
/** Frames further apart than this say nothing about what was between them. */
const FURTHEST_MS = 1000;
/** A track that begins or ends is shown so long before or after. */
const EDGE_MS = 80;

interface Frame { atMs: number; tracks: Track[] }

const between = (a: Track, b: Track, share: number): Track => ({
  ...(share < 0.5 ? a : b),
  box: a.box.map((value, i) => value + ((b.box[i] ?? value) - value) * share) as Track["box"],
});

export class TrackMemory {
  #frames: Frame[] = [];

  /** The capture time of the newest frame whose tracks are known. */
  get newestMs(): number {
    return this.#frames.at(-1)?.atMs ?? -Infinity;
  }

  add(tracks: Tracks): void {
    const frame = { atMs: Date.parse(tracks.time), tracks: tracks.tracks };
    if (Number.isNaN(frame.atMs)) return;
    /* A clock that was put back begins anew. */
    if (this.newestMs - frame.atMs > 10 * FURTHEST_MS) this.#frames = [];
    const at = this.#frames.findLastIndex((known) => known.atMs <= frame.atMs);
    if (this.#frames[at]?.atMs === frame.atMs) this.#frames[at] = frame;
    else this.#frames.splice(at + 1, 0, frame);
    if (this.#frames.length > MOST_KEPT) this.#frames.shift();
  }

  clear(): void {
    this.#frames = [];
  }

  /** Gives what was where at a time. */
  at(time: string): Track[] {
    const atMs = Date.parse(time);
    const index = this.#frames.findLastIndex((known) => known.atMs <= atMs);
    const before = this.#frames[index];
    if (before?.atMs === atMs) return before.tracks;
    const after = this.#frames[index + 1];
    const apart = (after?.atMs ?? Infinity) - (before?.atMs ?? -Infinity);
    if (before && after && apart <= FURTHEST_MS) return this.#between(before, after, (atMs - before.atMs) / apart, apart);
    if (before && atMs - before.atMs <= EDGE_MS) return before.tracks;
    return after && after.atMs - atMs <= EDGE_MS ? after.tracks : [];
  }

  #between(before: Frame, after: Frame, share: number, apartMs: number): Track[] {
    const later = new Map(after.tracks.map((track) => [track.id, track]));
    const found: Track[] = [];
    for (const track of before.tracks) {
      const next = later.get(track.id);
      later.delete(track.id);
      if (next) found.push(between(track, next, share));
      else if (share * apartMs <= EDGE_MS) found.push(track);
    }
    for (const track of later.values()) if ((1 - share) * apartMs <= EDGE_MS) found.push(track);
    return found;
  }

  /** Gives the middle of a track's foot in the seconds before a time, oldest first: where it came from. */
  trails(time: string, lengthMs: number): Map<number, { class: string; points: [number, number][] }> {
    const atMs = Date.parse(time);
    const shown = new Map(this.at(time).map((track) => [track.id, track]));
    const found = new Map([...shown].map(([id, track]) => [id, { class: track.class, points: [] as [number, number][] }]));
    const foot = ({ box }: Track): [number, number] => [(box[0] + box[2]) / 2, box[3]];
    for (const frame of this.#frames) {
      if (frame.atMs < atMs - lengthMs || frame.atMs > atMs) continue;
      for (const track of frame.tracks) found.get(track.id)?.points.push(foot(track));
    }
    for (const [id, track] of shown) found.get(id)?.points.push(foot(track));
    return found;
  }
}

/** How long a picture waits for its tracks at most, after it came. */
export const LONGEST_HOLD_MS = 600;
const MOST_HELD = 16;

/** Pictures come before what was found in them: holds each until its tracks are there, or will not come. */
export class PictureHold {
  #held: { picture: Picture; cameMs: number }[] = [];

  add(picture: Picture, cameMs: number): void {
    this.#held.push({ picture, cameMs });
    if (this.#held.length > MOST_HELD) this.#held.shift();
  }

  clear(): void {
    this.#held = [];
  }

  /** Gives the newest picture that need not wait any more, and drops older ones; null: all wait. */
  due(newestTracksMs: number, nowMs: number): Picture | null {
    const last = this.#held.findLastIndex(({ picture, cameMs }) =>
      Date.parse(picture.time) <= newestTracksMs || nowMs - cameMs >= LONGEST_HOLD_MS);
    return last < 0 ? null : (this.#held.splice(0, last + 1).at(-1)?.picture ?? null);
  }
}
