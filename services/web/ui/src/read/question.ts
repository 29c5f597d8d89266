import { BUCKETS, PRESETS, bucketFor, bucketsFor, isLocalTime, spanOf } from "./spans.ts";
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

const MOST = 50;

const list = (params: URLSearchParams, name: string): string[] =>
  [...new Set(params.getAll(name).flatMap((value) => value.split(",")).filter((value) => value !== ""))].slice(0, MOST);

const oneOf = <T extends string>(value: string | null, known: readonly T[]): T | null =>
  known.find((candidate) => candidate === value) ?? null;

function isZone(name: string | null): name is string {
  if (name === null) return false;
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}

/** Reads the question of an address; what cannot be read is passed over. */
export function questionOf(params: URLSearchParams): Question {
  const [from, to] = [params.get("from"), params.get("to")];
  const isOwn = isLocalTime(from) && isLocalTime(to) && from < to;
  const generation = Number(params.get("generation"));
  return {
    cameras: list(params, "camera"),
    lines: list(params, "line"),
    classes: list(params, "class"),
    directions: DIRECTIONS.filter((direction) => list(params, "direction").includes(direction)),
    preset: isOwn ? "own" : (oneOf(params.get("span"), PRESETS.filter((preset) => preset !== "own")) ?? "today"),
    from: isOwn ? from : null,
    to: isOwn ? to : null,
    bucket: oneOf(params.get("bucket"), BUCKETS),
    zone: isZone(params.get("tz")) ? params.get("tz") : null,
    stack: oneOf(params.get("stack"), STACKS) ?? "direction",
    compare: params.get("compare"),
    generation: Number.isInteger(generation) && generation > 0 ? generation : null,
    show: params.get("show") === "table" ? "table" : "chart",
  };
}

/** Writes a question as the parameters of an address; what is as usual is left out. */
export function parametersOf(question: Question): URLSearchParams {
  const params = new URLSearchParams();
  const lists = { camera: question.cameras, line: question.lines, class: question.classes, direction: question.directions };
  for (const [name, values] of Object.entries(lists)) if (values.length > 0) params.set(name, values.join(","));
  if (question.preset === "own" && question.from && question.to) {
    params.set("from", question.from);
    params.set("to", question.to);
  } else if (question.preset !== "today") params.set("span", question.preset);
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
