import { generationFrom, listFrom, oneOf, setLists, setSpan, spanFrom, zoneFrom } from "./address.ts";
import { BUCKETS, bucketFor, bucketsFor, spanOf } from "./spans.ts";
import type { Bucket, Preset, Span } from "./spans.ts";

/** What somebody wants to know, as it stands in the address: a link shows the same. Pure. */
export interface Question {
  /** Ids of cameras; none: all. */
  cameras: readonly string[];
  /** `camera/line`; none: all lines of the cameras. */
  lines: readonly string[];
  classes: readonly string[];
  directions: readonly Direction[];
  preset: Preset;
  /** Only of the preset `own`. */
  from: string | null;
  to: string | null;
  bucket: Bucket | null;
  /** Null: the browser's. */
  zone: string | null;
  stack: Stack;
  /** `before`, or a `camera/line`. */
  compare: string | null;
  generation: number | null;
  show: "chart" | "table";
}

export const DIRECTIONS = ["forward", "backward"] as const;
export type Direction = (typeof DIRECTIONS)[number];
export const STACKS = ["direction", "class", "line"] as const;
export type Stack = (typeof STACKS)[number];

/** Reads the question of an address; what cannot be read is passed over. */
export function questionOf(params: URLSearchParams): Question {
  const span = spanFrom(params);
  return {
    cameras: listFrom(params, "camera"),
    lines: listFrom(params, "line"),
    classes: listFrom(params, "class"),
    directions: DIRECTIONS.filter((direction) => listFrom(params, "direction").includes(direction)),
    ...span,
    preset: span.preset ?? "today",
    bucket: oneOf(params.get("bucket"), BUCKETS),
    zone: zoneFrom(params),
    stack: oneOf(params.get("stack"), STACKS) ?? "direction",
    compare: params.get("compare"),
    generation: generationFrom(params),
    show: params.get("show") === "table" ? "table" : "chart",
  };
}

/** Writes a question as the parameters of an address; what is as usual is left out. */
export function parametersOf(question: Question): URLSearchParams {
  const params = new URLSearchParams();
  const lists = { camera: question.cameras, line: question.lines, class: question.classes, direction: question.directions };
  setLists(params, lists);
  setSpan(params, question, "today");
  if (question.bucket) params.set("bucket", question.bucket);
  if (question.zone) params.set("tz", question.zone);
  if (question.stack !== "direction") params.set("stack", question.stack);
  if (question.compare) params.set("compare", question.compare);
  if (question.generation) params.set("generation", String(question.generation));
  if (question.show !== "chart") params.set("show", question.show);
  return params;
}

/** The span that is meant, and the interval: one that makes sense for it. */
export function timesOf(question: Question, now: Date, zone: string): { span: Span; bucket: Bucket } {
  const isOwn = question.preset === "own" && question.from !== null && question.to !== null;
  const span = isOwn ? { from: question.from as string, to: question.to as string } : spanOf(question.preset as Exclude<Preset, "own">, now, zone);
  const bucket = question.bucket && bucketsFor(span).includes(question.bucket) ? question.bucket : bucketFor(span);
  return { span, bucket };
}

/** The lines that are asked of each camera; an empty list is all of them. */
export function linesByCamera(question: Question, known: readonly string[]): Map<string, string[]> {
  const wanted = question.lines.map((line) => line.split("/", 2) as [string, string]);
  const named = question.cameras.length > 0 ? question.cameras : [...new Set(wanted.map(([camera]) => camera))];
  const cameras = (named.length > 0 ? named : known).filter((camera) => question.lines.length === 0 || wanted.some(([of]) => of === camera));
  return new Map(cameras.map((camera) => [camera, wanted.filter(([of]) => of === camera).map(([, line]) => line)]));
}
