import assert from "node:assert/strict";
import { test } from "node:test";
import { mergedWants, pictureOf } from "../src/api/live-messages.ts";
import type { Wanted } from "../src/api/live-messages.ts";

function message(header: string, jpeg: number[]): ArrayBuffer {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(4 + text.length + jpeg.length);
  new DataView(bytes.buffer).setUint32(0, text.length);
  bytes.set(text, 4);
  bytes.set(jpeg, 4 + text.length);
  return bytes.buffer;
}

test("a picture comes with its camera, time and size", async () => {
  const header = { camera: "gate", time: "2026-11-21T20:43:29.169Z", width: 320, height: 180 };
  const found = pictureOf(message(JSON.stringify(header), [1, 2, 3]));
  assert.ok(found);
  const { jpeg, ...rest } = found;
  assert.deepEqual(rest, header);
  assert.deepEqual([...new Uint8Array(await jpeg.arrayBuffer())], [1, 2, 3]);
});

test("what is no picture is none", () => {
  for (const odd of [new ArrayBuffer(0), new ArrayBuffer(4), message("{", []), message("x".repeat(5000), [])]) {
    if (odd.byteLength !== 4) assert.equal(pictureOf(odd), null);
  }
  const tooLong = message("{}", []);
  new DataView(tooLong).setUint32(0, 900);
  assert.equal(pictureOf(tooLong), null);
});

test("parts of the page that want the same camera get the best of what they want", () => {
  const tile: Wanted = { camera: "gate", width: 320, fps: 2, pictures: true, tracks: false, overlay: true };
  const view: Wanted = { camera: "gate", width: null, fps: 10, pictures: false, tracks: true, overlay: false };
  const other: Wanted = { ...tile, camera: "yard" };
  assert.deepEqual(mergedWants([tile, view, other]), [
    { camera: "gate", width: null, fps: 10, pictures: true, tracks: true, overlay: true }, other,
  ]);
  assert.deepEqual(mergedWants([]), []);
});
