/** The messages of the WebSocket `api/v1/live`, as the server sends them. */
import type { CameraAnswer } from "./schema.ts";
import type { Parameters } from "./answers.ts";

export interface Track { id: number; class: string; confidence: number; box: [number, number, number, number]; mask: string | null }
export interface Tracks { type: "tracks"; camera: string; frame: number; time: string; tracks: Track[] }
export interface Missing { type: "missing"; camera: string; code: string; params: Parameters; text: string }
export type LiveText =
  | Tracks
  | Missing
  | { type: "cameras"; items: CameraAnswer[] }
  | { type: "alive"; time: string };

export interface Picture { camera: string; time: string; width: number; height: number; jpeg: Blob }

/** What is wanted of one camera; a message to the server holds all of them and replaces the last one. */
export interface Wanted { camera: string; width: number | null; fps: number; pictures: boolean; tracks: boolean; overlay: boolean }

const MOST_HEADER_BYTES = 4096;

/** Takes a binary message apart: the length of its header, the header as JSON, the JPEG. Null: it is none. */
export function pictureOf(data: ArrayBuffer): Picture | null {
  if (data.byteLength < 4) return null;
  const length = new DataView(data).getUint32(0);
  if (length > MOST_HEADER_BYTES || 4 + length > data.byteLength) return null;
  try {
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length))) as Omit<Picture, "jpeg">;
    return { ...header, jpeg: new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }) };
  } catch {
    return null;
  }
}

/** Merges what several parts of the page want of the same camera: the largest picture, the most often. */
export function mergedWants(wants: Iterable<Wanted>): Wanted[] {
  const merged = new Map<string, Wanted>();
  for (const want of wants) {
    const known = merged.get(want.camera);
    merged.set(want.camera, known ? {
      camera: want.camera,
      width: known.width === null || want.width === null ? null : Math.max(known.width, want.width),
      fps: Math.max(known.fps, want.fps),
      pictures: known.pictures || want.pictures,
      tracks: known.tracks || want.tracks,
      overlay: known.overlay || want.overlay,
    } : want);
  }
  return [...merged.values()];
}
