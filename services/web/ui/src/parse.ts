import { paletteColor } from "./colors.ts";
import type { Bucket, ByClass, Camera, Compliance, Counts, Crossing, Gap, Line, Point, Size, Status, SystemInfo, Upkeep } from "./types.ts";

/**
 * Answers of the API to the page's own types. A missing optional field becomes null or empty here,
 * so that no other module has to ask.
 */
type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const object = (value: unknown): Json => (isObject(value) ? value : {});
const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const number = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

export function items(body: unknown): Json[] {
  const list = Array.isArray(body) ? body : object(body)["items"];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

export function size(value: unknown): Size | null {
  const pair = typeof value === "string" ? value.split(/[x×]/).map(Number)
    : Array.isArray(value) ? value.map(Number)
    : [Number(object(value)["width"]), Number(object(value)["height"])];
  const [width, height] = pair;
  return width && height && width > 0 && height > 0 ? { width, height } : null;
}

const STATUSES: readonly string[] = ["connecting", "live", "degraded", "disabled"];

export function camera(body: unknown): Camera {
  const raw = object(body);
  const id = text(raw["id"]) ?? "";
  const enabled = raw["enabled"] !== false;
  const status = String(raw["status"]);
  const error = raw["last_error"];
  return {
    id,
    name: text(raw["name"]) ?? id,
    url: text(raw["url"]) ?? "",
    model: text(raw["model"]),
    enabled,
    fps: number(raw["fps"]),
    status: STATUSES.includes(status) ? (status as Status) : enabled ? "connecting" : "disabled",
    since: text(raw["since"]),
    resolution: size(raw["resolution"]),
    lastError: text(error) ?? text(object(error)["detail"]) ?? text(object(error)["message"]),
  };
}

function points(value: unknown): Point[] {
  if (!Array.isArray(value)) return [];
  return value.filter(Array.isArray).map((p): Point => [Number(p[0]), Number(p[1])]);
}

export function line(body: unknown, index = 0): Line {
  const raw = object(body);
  const id = text(raw["id"]) ?? "";
  const classes = raw["classes"];
  return {
    id,
    name: text(raw["name"]) ?? id,
    points: points(raw["points"]),
    anchor: raw["anchor"] === "foot" ? "foot" : "centre",
    classes: Array.isArray(classes) && classes.length > 0 ? classes.map(String) : null,
    color: text(raw["color"]) ?? paletteColor(index),
  };
}

function byClass(value: unknown): ByClass {
  const entries = Object.entries(object(value)).map(([name, count]): [string, number] => [name, number(count) ?? 0]);
  return Object.fromEntries(entries);
}

function compliance(value: unknown): Compliance {
  const raw = object(value);
  return { rate: number(raw["rate"]), counted: number(raw["counted"]) ?? 0 };
}

function bucket(raw: Json): Bucket {
  return {
    start: text(raw["start"]) ?? "",
    coverage: number(raw["coverage"]),
    forward: byClass(raw["forward"]),
    backward: byClass(raw["backward"]),
    compliance: compliance(raw["compliance"]),
  };
}

export function counts(body: unknown): Counts {
  const raw = object(body);
  const total = object(raw["total"]);
  return {
    coverage: number(raw["coverage"]),
    compliance: compliance(raw["compliance"]),
    total: { forward: byClass(total["forward"]), backward: byClass(total["backward"]) },
    buckets: items(raw["buckets"]).map(bucket),
  };
}

export function crossing(raw: Json): Crossing {
  return {
    id: String(raw["id"]),
    line: text(raw["line"]) ?? "",
    time: text(raw["time"]) ?? "",
    class: text(raw["class"]) ?? "",
    direction: raw["direction"] === "backward" ? "backward" : "forward",
    confidence: number(raw["confidence"]),
  };
}

export function gap(raw: Json): Gap {
  return { from: text(raw["from"]) ?? "", to: text(raw["to"]), cause: text(raw["cause"]) };
}

function upkeep(raw: Json): Upkeep {
  const pending = object(raw["retention"])["pending"];
  const days = object(object(pending)["days"]);
  const doubt = object(raw["clock"])["doubt"];
  const records = Object.entries(object(object(pending)["records"]))
    .map(([kind, count]) => ({ kind, number: number(count) ?? 0, days: number(days[kind]) ?? 0 }));
  return {
    pending: isObject(pending) ? { id: text(pending["id"]) ?? "", hoursLeft: number(pending["hours_left"]) ?? 0, records } : null,
    doubt: isObject(doubt) ? { id: text(doubt["id"]) ?? "", shows: text(doubt["shows"]) ?? "" } : null,
    setAside: number(raw["set_aside"]) ?? 0,
  };
}

function troubleOf(status: string | null): string | null {
  return status === "up" ? null : status;
}

function fpsBounds(raw: Json): Pick<SystemInfo, "fps"> {
  const min = number(raw["least"]);
  const max = number(raw["most"]);
  return min !== null && max !== null ? { fps: { min, max } } : {};
}

export function system(body: unknown): SystemInfo {
  const raw = object(body);
  const database = object(raw["database"]);
  const services = Array.isArray(raw["services"]) ? items(raw["services"])
    : Object.entries(object(raw["services"])).map(([name, state]) => ({ name, ...(isObject(state) ? state : { status: state }) }));
  return {
    version: text(raw["version"]),
    database: text(database["kind"]) ?? text(raw["database"]),
    databaseTrouble: troubleOf(text(database["status"])),
    freeBytes: number(database["free_bytes"]),
    notStored: text(database["not_stored"]),
    services: services.map((s) => ({ name: String(s["name"] ?? "?"), status: String(object(s)["status"] ?? "unknown") })),
    models: items(raw["models"]).map((m) => ({
      name: String(m["name"] ?? ""),
      classes: Array.isArray(m["classes"]) ? m["classes"].map(String) : [],
    })),
    ...fpsBounds(object(raw["fps"])),
    ...("retention" in raw ? { upkeep: upkeep(raw) } : {}),
  };
}
