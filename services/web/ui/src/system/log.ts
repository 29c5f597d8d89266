import type { LogItem } from "../api/schema.ts";

/** The records of the server's log as the page keeps and filters them. */
export const LEVELS = ["debug", "info", "warning", "error"] as const;
export type Level = (typeof LEVELS)[number];

/** As many as the server keeps. */
export const MOST_RECORDS = 2000;

export const isLevel = (name: unknown): name is Level => LEVELS.some((level) => level === name);

/** Puts what has come to what is known, in its order; the oldest gives way. */
export function merged(known: LogItem[], fresh: LogItem[]): LogItem[] {
  const last = known.at(-1)?.id ?? -1;
  /* The server has begun anew, with a clock that was set back. */
  if ((fresh.at(-1)?.id ?? last) < last) return fresh;
  const added = fresh.filter((item) => item.id > last);
  return added.length ? [...known, ...added].slice(-MOST_RECORDS) : known;
}

/** Gives what is at least as bad and has all the words, the newest first. */
export function found(items: readonly LogItem[], least: Level, words: string): LogItem[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const from = LEVELS.indexOf(least);
  return items.filter((item) => {
    const text = `${item.service} ${item.text}`.toLowerCase();
    return LEVELS.indexOf(item.level) >= from && wanted.every((word) => text.includes(word));
  }).reverse();
}

/** Gives records as lines of text, the oldest first. */
export const asText = (newestFirst: readonly LogItem[]): string =>
  newestFirst.toReversed().map((item) => `${item.time} ${item.level} ${item.service}: ${item.text}\n`).join("");
