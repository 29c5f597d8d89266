import * as api from "./api.ts";
import { cameraOf, fragmentOf } from "./address.ts";
import { ApiError, Unreachable, serverNow } from "./client.ts";
import { latest } from "./latest.ts";
import { mayLook, refreshSession } from "./session.ts";
import { poll } from "./poll.ts";
import type { Poller } from "./poll.ts";
import { state, update } from "./state.ts";
import { t } from "./strings.ts";
import { dayRange } from "./time.ts";
import type { Range } from "./time.ts";

/** Keeps the state like the server's. The list of cameras is the heartbeat; all else waits for it. */
const CAMERAS_MS = 1500;
const LIVE_MS = 1000;
const SLOW_MS = 10_000;
const RECENT = 14;
const FULL_EVERY = 10;

type Down = (detail: string | null) => void;

let pollers: { cameras: Poller; live: Poller; slow: Poller } | null = null;
let ticks = 0;
/** Lines whose counts are read again, and how often: a count may be written just after its crossing. */
const stale = new Map<string, number>();

const nothing = { lines: null, focusId: null, draft: null, drawing: false, counts: {}, coverage: undefined, crossings: null, gaps: [] };

/** Opens a camera; the address of the page remembers it. */
export function open(id: string | null): void {
  if (id === state.openId) return;
  stale.clear();
  ticks = 0;
  if (id !== null) history.replaceState(null, "", fragmentOf(id));
  update({ ...nothing, openId: id });
  pollers?.slow.soon();
  pollers?.live.soon();
}

function chosen(ids: string[]): string | null {
  if (state.openId !== null && ids.includes(state.openId)) return state.openId;
  const wanted = cameraOf(location.hash);
  return wanted !== null && ids.includes(wanted) ? wanted : (ids[0] ?? null);
}

/** Opens the camera that the page's address names, after somebody changed it or followed a link. */
function follow(): void {
  const wanted = cameraOf(location.hash);
  if (wanted !== null && state.cameras?.some((camera) => camera.id === wanted)) open(wanted);
}

const latestCameras = latest(api.cameras);
const latestLines = latest(async () => {
  const camera = state.openId;
  return { camera, lines: camera === null ? [] : await api.lines(camera) };
});

export async function refreshCameras(): Promise<void> {
  const cameras = await latestCameras();
  if (cameras === null) return;
  update({ cameras });
  open(chosen(cameras.map((camera) => camera.id)));
}

export async function refreshLines(): Promise<void> {
  const answer = await latestLines();
  if (answer === null || answer.camera === null || answer.camera !== state.openId) return;
  const { lines } = answer;
  const known = lines.some((line) => line.id === state.focusId);
  const counts = Object.fromEntries(Object.entries(state.counts).filter(([id]) => lines.some((line) => line.id === id)));
  for (const line of lines) if (!(line.id in counts)) stale.set(line.id, 1);
  update({ lines, counts, focusId: known ? state.focusId : (lines[0]?.id ?? null) });
}

/** Today until now, so that the coverage is about what has passed. */
function today(): Range {
  const now = serverNow();
  return { from: dayRange(now).from, to: now };
}

async function refreshCrossings(camera: string): Promise<void> {
  const crossings = await api.crossings(camera, dayRange(serverNow()), RECENT);
  if (camera !== state.openId) return;
  const known = new Set(state.crossings?.map((crossing) => crossing.id));
  for (const crossing of crossings) if (!known.has(crossing.id)) stale.set(crossing.line, 2);
  update({ crossings });
}

async function refreshCounts(camera: string, line: string): Promise<void> {
  const counts = await api.counts(camera, line, today());
  if (camera !== state.openId || !state.lines?.some((known) => known.id === line)) return;
  const left = (stale.get(line) ?? 1) - 1;
  if (left > 0) stale.set(line, left);
  else stale.delete(line);
  update({ counts: { ...state.counts, [line]: counts } });
  if (line === state.focusId) update({ coverage: counts.coverage });
}

async function refreshLive(): Promise<void> {
  const camera = state.openId;
  if (!state.answering || camera === null || state.lines === null) return;
  if (ticks++ % FULL_EVERY === 0) for (const line of state.lines) stale.set(line.id, Math.max(1, stale.get(line.id) ?? 0));
  await refreshCrossings(camera);
  const ids = new Set(state.lines.map((line) => line.id));
  for (const line of stale.keys()) if (!ids.has(line)) stale.delete(line);
  await Promise.all([...stale.keys()].map((line) => refreshCounts(camera, line)));
}

async function refreshSlow(): Promise<void> {
  if (!state.answering) return;
  update({ system: await api.system().catch(() => state.system) });
  const camera = state.openId;
  if (camera === null) return;
  await refreshLines();
  pollers?.live.soon();
  const gaps = await api.gaps(camera, today()).catch(() => state.gaps);
  if (camera === state.openId) update({ gaps });
  if (state.lines?.length === 0) {
    const whole = await api.counts(camera, null, today());
    if (camera === state.openId && state.lines?.length === 0) update({ coverage: whole.coverage });
  }
}

async function heartbeat(down: Down): Promise<void> {
  try {
    if (state.session === null) await refreshSession();
    if (!mayLook()) return down("");
    await refreshCameras();
  } catch (error) {
    if (error instanceof ApiError || error instanceof Unreachable) update({ answering: false });
    if (error instanceof ApiError && error.status === 401) return down("");
    down(error instanceof ApiError ? error.message : error instanceof Unreachable ? null : t.broken);
    throw error;
  }
  const back = !state.answering;
  update({ answering: true });
  down("");
  if (back) {
    pollers?.slow.soon();
    pollers?.live.soon();
  }
}

/** Starts all polling. `down` gets what is wrong: null when the server does not answer, "" when all is well. */
export function startData(down: Down): void {
  addEventListener("hashchange", follow);
  pollers = {
    cameras: poll(CAMERAS_MS, () => heartbeat(down)),
    live: poll(LIVE_MS, refreshLive),
    slow: poll(SLOW_MS, refreshSlow),
  };
}

export const recheckSystem = (): void => pollers?.slow.soon();
export const recheckCameras = (): void => pollers?.cameras.soon();
/** Reads the counts of new or changed lines at once. */
export const recheckLines = async (): Promise<void> => {
  await refreshLines();
  pollers?.live.soon();
};
