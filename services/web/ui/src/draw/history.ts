/** What can be undone and done again: states, of which one is the present. Pure; states are never changed. */
export interface History<T> { past: readonly T[]; present: T; future: readonly T[] }

const MOST = 200;

export const begun = <T>(present: T): History<T> => ({ past: [], present, future: [] });

/** A step: what could be done again is gone. */
export function stepped<T>(history: History<T>, next: T): History<T> {
  return { past: [...history.past, history.present].slice(-MOST), present: next, future: [] };
}

/** All states in another form. */
export const mapped = <T>(history: History<T>, to: (state: T) => T): History<T> => ({ past: history.past.map(to), present: to(history.present), future: history.future.map(to) });

/** The present in another form, such as while a hand still pulls: no step of its own. */
export const replaced = <T>(history: History<T>, present: T): History<T> => ({ ...history, present });

export function undone<T>(history: History<T>): History<T> {
  const last = history.past.at(-1);
  if (last === undefined) return history;
  return { past: history.past.slice(0, -1), present: last, future: [history.present, ...history.future] };
}

export function redone<T>(history: History<T>): History<T> {
  const [next, ...rest] = history.future;
  if (next === undefined) return history;
  return { past: [...history.past, history.present], present: next, future: rest };
}
