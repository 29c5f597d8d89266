import * as parse from "./parse.ts";
import type { Range } from "./time.ts";
import { timeZone } from "./time.ts";
import type { Camera, CameraInput, Counts, Crossing, Draft, Gap, Line, SystemInfo } from "./types.ts";

const BASE = "/api/v1";
const TIMEOUT_MS = 10_000;

/** The server answered, and said no (RFC 9457). */
export class ApiError extends Error {
  constructor(readonly status: number, detail: string) {
    super(detail);
  }
}

/** The server did not answer. */
export class Unreachable extends Error {}

let loggedOut = (): void => undefined;

/** Calls `run` when an answer says that nobody is logged in, or not any more. */
export function whenLoggedOut(run: () => void): void {
  loggedOut = run;
}

let clockOffsetMs = 0;

/** The server's time, for browsers whose clock is wrong by seconds or more. */
export const serverNow = (): Date => new Date(Date.now() + clockOffsetMs);

function learnClock(response: Response): void {
  const date = Date.parse(response.headers.get("date") ?? "");
  const offset = date - Date.now();
  if (Number.isFinite(offset)) clockOffsetMs = Math.abs(offset) > 3000 ? offset : 0;
}

async function problem(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const { detail, title } = (body ?? {}) as { detail?: unknown; title?: unknown };
  const said = typeof detail === "string" ? detail : typeof title === "string" ? title : response.statusText;
  return new ApiError(response.status, said || `HTTP ${response.status}`);
}

export async function request(method: string, path: string, body?: unknown): Promise<unknown> {
  const init: RequestInit = {
    method,
    headers: { Accept: "application/json" },
    cache: "no-store",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, "Content-Type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(BASE + path, init);
  } catch (error) {
    throw new Unreachable(String(error));
  }
  learnClock(response);
  if (response.status === 401 && path !== "/session") loggedOut();
  if (!response.ok) throw await problem(response);
  if (response.status === 204) return null;
  return response.json().catch(() => null);
}

const part = encodeURIComponent;
const query = (values: Record<string, string | number>): string =>
  "?" + new URLSearchParams(Object.entries(values).map(([key, value]) => [key, String(value)])).toString();
const span = ({ from, to }: Range) => ({ from: from.toISOString(), to: to.toISOString() });

export const streamUrl = (camera: string, attempt: number): string =>
  `${BASE}/cameras/${part(camera)}/stream.mjpeg${query({ overlay: 1, lines: 0, attempt })}`;

export async function cameras(): Promise<Camera[]> {
  return parse.items(await request("GET", "/cameras")).map(parse.camera);
}

export async function createCamera(input: CameraInput): Promise<Camera> {
  return parse.camera(await request("POST", "/cameras", input));
}

export async function changeCamera(id: string, change: Partial<CameraInput> & { enabled?: boolean }): Promise<void> {
  await request("PATCH", `/cameras/${part(id)}`, change);
}

export async function deleteCamera(id: string): Promise<void> {
  await request("DELETE", `/cameras/${part(id)}`);
}

const linesPath = (camera: string) => `/cameras/${part(camera)}/lines`;
const linePath = (camera: string, line: string) => `${linesPath(camera)}/${part(line)}`;

export async function lines(camera: string): Promise<Line[]> {
  return parse.items(await request("GET", linesPath(camera))).map(parse.line);
}

export async function createLine(camera: string, draft: Draft): Promise<Line> {
  const { id: _, ...fields } = draft;
  return parse.line(await request("POST", linesPath(camera), fields));
}

export async function changeLine(camera: string, line: string, change: Partial<Omit<Line, "id">>): Promise<void> {
  await request("PATCH", linePath(camera, line), change);
}

export async function deleteLine(camera: string, line: string): Promise<void> {
  await request("DELETE", linePath(camera, line));
}

/** Counts by the hour; without a line, of the whole camera. */
export async function counts(camera: string, line: string | null, range: Range): Promise<Counts> {
  const values = { camera, ...(line === null ? {} : { line }), ...span(range), bucket: "1h", tz: timeZone() };
  return parse.counts(await request("GET", `/counts${query(values)}`));
}

export async function crossings(camera: string, range: Range, limit: number): Promise<Crossing[]> {
  const values = { camera, ...span(range), limit };
  return parse.items(await request("GET", `/crossings${query(values)}`)).map(parse.crossing);
}

export async function gaps(camera: string, range: Range): Promise<Gap[]> {
  return parse.items(await request("GET", `/cameras/${part(camera)}/gaps${query(span(range))}`)).map(parse.gap);
}

export async function system(): Promise<SystemInfo> {
  return parse.system(await request("GET", "/system"));
}
