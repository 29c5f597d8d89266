import { isZoneName } from "../api/zones.ts";
import { PRESETS, isLocalTime } from "./spans.ts";
import type { Preset } from "./spans.ts";

/** What several views of this folder read from an address, and write into it; what cannot be read is passed over. Pure. */
const MOST = 50;

/** The values of a list, which stands there once with commas between them. */
export const listFrom = (params: URLSearchParams, name: string): string[] =>
  [...new Set(params.getAll(name).flatMap((value) => value.split(",")).filter((value) => value !== ""))].slice(0, MOST);

export const oneOf = <T extends string>(value: string | null, known: readonly T[]): T | null =>
  known.find((candidate) => candidate === value) ?? null;

/** The time zone that is asked for; null: none, or none that there is. */
export function zoneFrom(params: URLSearchParams): string | null {
  const name = params.get("tz");
  return name !== null && isZoneName(name) ? name : null;
}

export function generationFrom(params: URLSearchParams): number | null {
  const generation = Number(params.get("generation"));
  return Number.isInteger(generation) && generation > 0 ? generation : null;
}

/** `from` and `to` belong to the preset `own` alone; `preset` is null where no span is named. */
export interface SpanChoice<T> { preset: T; from: string | null; to: string | null }

export function spanFrom(params: URLSearchParams): SpanChoice<Preset | null> {
  const [from, to] = [params.get("from"), params.get("to")];
  if (isLocalTime(from) && isLocalTime(to) && from < to) return { preset: "own", from, to };
  return { preset: oneOf(params.get("span"), PRESETS.filter((preset) => preset !== "own")), from: null, to: null };
}

/** Writes a span; the usual one is left out. */
export function setSpan(params: URLSearchParams, { preset, from, to }: SpanChoice<string>, usual: string): void {
  if (preset === "own" && from && to) {
    params.set("from", from);
    params.set("to", to);
  } else if (preset !== usual) params.set("span", preset);
}

/** Writes lists; empty ones are left out. */
export function setLists(params: URLSearchParams, lists: Record<string, readonly string[]>): void {
  for (const [name, values] of Object.entries(lists)) if (values.length > 0) params.set(name, values.join(","));
}
