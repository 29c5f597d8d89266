import { MASKS } from "../draw/classes.ts";
import { generationFrom, listFrom, oneOf, setLists, setSpan, spanFrom, zoneFrom } from "./address.ts";
import { DIRECTIONS } from "./question.ts";
import type { Direction } from "./question.ts";
import { isMoment, spanOf } from "./spans.ts";
import type { Preset, Span } from "./spans.ts";

/** Which crossings somebody wants to see, as it stands in the address: a link shows the same. Pure. */
export interface CrossingQuestion {
  /** Id; null: the first camera. */
  camera: string | null;
  lines: readonly string[];
  classes: readonly string[];
  directions: readonly Direction[];
  masks: readonly Mask[];
  /** Between 0 and 1, both ends belong to it; null: no bound. */
  least: number | null;
  most: number | null;
  preset: Preset | "live";
  /** Only of the preset `own`. */
  from: string | null;
  to: string | null;
  zone: string | null;
  generation: number | null;
  /** Where the page begins that is shown, in the server's words; null: at the newest. */
  cursor: string | null;
  /** The crossing that is looked at, and its time: it may not be on the page any more. */
  chosen: { id: string; time: string } | null;
}

export { MASKS };
export type Mask = (typeof MASKS)[number];

/** So far back the live list goes when one pages through it. */
export const LIVE_DAYS = 30;
const DAY_MS = 86_400_000;

function shareFrom(params: URLSearchParams, name: string): number | null {
  const text = params.get(name);
  const value = Number(text);
  return text !== null && text !== "" && value >= 0 && value <= 1 ? value : null;
}

export function crossingQuestionOf(params: URLSearchParams): CrossingQuestion {
  const span = spanFrom(params);
  const [id, time] = [params.get("crossing"), params.get("time")];
  const [least, most] = [shareFrom(params, "min"), shareFrom(params, "max")];
  const directions = listFrom(params, "direction");
  const masks = listFrom(params, "mask");
  return {
    camera: params.get("camera") || null,
    lines: listFrom(params, "line"),
    classes: listFrom(params, "class"),
    directions: DIRECTIONS.filter((direction) => directions.includes(direction)),
    masks: MASKS.filter((mask) => masks.includes(mask)),
    least, most: least !== null && most !== null && most < least ? null : most,
    ...span,
    preset: span.preset ?? oneOf(params.get("span"), ["live"]) ?? "live",
    zone: zoneFrom(params),
    generation: generationFrom(params),
    cursor: params.get("before") || null,
    chosen: id && isMoment(time) ? { id, time } : null,
  };
}

/** Writes a question as the parameters of an address; what is as usual is left out. */
export function crossingParametersOf(question: CrossingQuestion): URLSearchParams {
  const params = new URLSearchParams();
  if (question.camera) params.set("camera", question.camera);
  setLists(params, { line: question.lines, class: question.classes, direction: question.directions, mask: question.masks });
  if (question.least !== null) params.set("min", String(question.least));
  if (question.most !== null) params.set("max", String(question.most));
  setSpan(params, question, "live");
  if (question.zone) params.set("tz", question.zone);
  if (question.generation) params.set("generation", String(question.generation));
  if (question.cursor) params.set("before", question.cursor);
  if (question.chosen) {
    params.set("crossing", question.chosen.id);
    params.set("time", question.chosen.time);
  }
  return params;
}

/** The span that is asked for; a live list has no end, and begins so many days ago. */
export function crossingSpan(question: CrossingQuestion, now: Date, zone: string): { from: string; to?: string } {
  if (question.preset === "live") return { from: new Date(now.getTime() - LIVE_DAYS * DAY_MS).toISOString() };
  if (question.preset === "own") return { from: question.from ?? "", to: question.to ?? "" };
  return spanOf(question.preset, now, zone);
}

/** A span to show in the fields of days while the list is live. */
export const shownSpan = (question: CrossingQuestion, now: Date, zone: string): Span =>
  question.preset === "own" && question.from && question.to ? { from: question.from, to: question.to } : spanOf(question.preset === "live" || question.preset === "own" ? "today" : question.preset, now, zone);
