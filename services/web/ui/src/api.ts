import { timeZone } from "./address.ts";
import { answer, answerOf, client } from "./client.ts";
import type { CameraChange, CameraInput, LineChange } from "./schema.ts";
import type { Range } from "./time.ts";
import type { Camera, Counts, Crossing, Draft, Gap, Line, SystemInfo } from "./types.ts";

/** What the API knows of cameras, lines, counts and the system. */
const span = ({ from, to }: Range) => ({ from: from.toISOString(), to: to.toISOString() });

export const streamUrl = (camera: string, attempt: number): string =>
  `/api/v1/cameras/${encodeURIComponent(camera)}/stream.mjpeg?overlay=1&lines=0&attempt=${attempt}`;

export async function cameras(): Promise<Camera[]> {
  return (await answerOf(client.GET("/api/v1/cameras"))).items;
}

export async function createCamera(body: CameraInput): Promise<Camera> {
  return answerOf(client.POST("/api/v1/cameras", { body }));
}

export async function changeCamera(id: string, body: CameraChange): Promise<void> {
  await answer(client.PATCH("/api/v1/cameras/{id}", { params: { path: { id } }, body }));
}

export async function deleteCamera(id: string): Promise<void> {
  await answer(client.DELETE("/api/v1/cameras/{id}", { params: { path: { id } } }));
}

export async function lines(camera: string): Promise<Line[]> {
  const { items } = await answerOf(client.GET("/api/v1/cameras/{camera}/lines", { params: { path: { camera } } }));
  return items as Line[];
}

export async function createLine(camera: string, draft: Draft): Promise<Line> {
  const { id: _, ...body } = draft;
  return (await answerOf(client.POST("/api/v1/cameras/{camera}/lines", { params: { path: { camera } }, body }))) as Line;
}

export async function changeLine(camera: string, line: string, body: LineChange): Promise<void> {
  await answer(client.PATCH("/api/v1/cameras/{camera}/lines/{line}", { params: { path: { camera, line } }, body }));
}

export async function deleteLine(camera: string, line: string): Promise<void> {
  await answer(client.DELETE("/api/v1/cameras/{camera}/lines/{line}", { params: { path: { camera, line } } }));
}

/** Counts by the hour; without a line, of the whole camera. */
export async function counts(camera: string, line: string | null, range: Range): Promise<Counts> {
  const query = { camera, line, ...span(range), bucket: "1h" as const, tz: timeZone() };
  return answerOf(client.GET("/api/v1/counts", { params: { query } }));
}

export async function crossings(camera: string, range: Range, limit: number): Promise<Crossing[]> {
  const query = { camera, ...span(range), limit };
  return (await answerOf(client.GET("/api/v1/crossings", { params: { query } }))).items;
}

export async function gaps(camera: string, range: Range): Promise<Gap[]> {
  const params = { path: { camera }, query: span(range) };
  return (await answerOf(client.GET("/api/v1/cameras/{camera}/gaps", { params }))).items;
}

export async function system(): Promise<SystemInfo> {
  return answerOf(client.GET("/api/v1/system"));
}

/** Applies the shorter retention that waits. */
export async function confirmRetention(confirm: string): Promise<void> {
  await answer(client.PATCH("/api/v1/system/retention", { body: { confirm } }));
}

/** Says that the clock in doubt is right. */
export async function confirmClock(confirm: string): Promise<void> {
  await answer(client.PATCH("/api/v1/system/clock", { body: { confirm } }));
}
