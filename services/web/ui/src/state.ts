import type { Camera, Counts, Crossing, Draft, Gap, Line, Session, SystemInfo } from "./types.ts";

/** All that the page knows; null is "not known yet". */
export interface State {
  session: Session | null;
  cameras: Camera[] | null;
  /** The camera that is open. */
  openId: string | null;
  lines: Line[] | null;
  /** The line that the hourly chart shows. */
  focusId: string | null;
  /** The line that a person makes or changes. */
  draft: Draft | null;
  drawing: boolean;
  /** Today's counts by line. */
  counts: Record<string, Counts>;
  coverage: number | null | undefined;
  crossings: Crossing[] | null;
  gaps: Gap[];
  system: SystemInfo | null;
  /** The live picture moves. */
  playing: boolean;
  /** The server answered when it was asked last. */
  answering: boolean;
}

type Key = keyof State;
type Listener = () => void;

const listeners: { keys: ReadonlySet<Key>; run: Listener }[] = [];

export const state: State = {
  session: null, cameras: null, openId: null, lines: null, focusId: null, draft: null, drawing: false, counts: {},
  coverage: undefined, crossings: null, gaps: [], system: null, playing: false, answering: false,
};

/** Calls `run` now and whenever one of `keys` changes. */
export function watch(keys: readonly Key[], run: Listener): void {
  listeners.push({ keys: new Set(keys), run });
  run();
}

/** Polls answer the same thing most of the time: what is equal by value changes nothing. */
export function update(patch: Partial<State>): void {
  const changed = (Object.keys(patch) as Key[]).filter(
    (key) => state[key] !== patch[key] && JSON.stringify(state[key]) !== JSON.stringify(patch[key]),
  );
  Object.assign(state, patch);
  if (changed.length === 0) return;
  for (const { keys, run } of listeners) if (changed.some((key) => keys.has(key))) run();
}

export function openCamera(): Camera | null {
  return state.cameras?.find((camera) => camera.id === state.openId) ?? null;
}

/** The stored lines with the one in hand in its present form. */
export function shownLines(): Line[] {
  const draft = state.draft;
  return (state.lines ?? []).map((line) => (draft && draft.id === line.id ? { ...line, ...draft, id: line.id } : line));
}
