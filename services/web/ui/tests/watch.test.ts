import assert from "node:assert/strict";
import { test } from "node:test";
import type { Picture, Track } from "../src/api/live-messages.ts";
import type { Camera } from "../src/api/types.ts";
import { LONGEST_HOLD_MS, PictureHold, TrackMemory } from "../src/watch/tracks.ts";
import { longestStillMs, whyMissing } from "../src/watch/why.ts";

const at = (ms: number): string => new Date(Date.UTC(2026, 10, 21) + ms).toISOString();
const box = (x: number): Track["box"] => [x, 0.2, x + 0.1, 0.6];
const car = (id: number, x: number): Track => ({ id, class: "car", confidence: 0.9, box: box(x), mask: null });
const picture = (ms: number): Picture => ({ camera: "gate", time: at(ms), width: 4, height: 2, jpeg: new Blob() });

function memory(...frames: [ms: number, tracks: Track[]][]): TrackMemory {
  const kept = new TrackMemory();
  frames.forEach(([ms, tracks], frame) => kept.add({ type: "tracks", camera: "gate", frame, time: at(ms), tracks }));
  return kept;
}

test("a picture gets the boxes of its own capture time, in whatever order frames come", () => {
  const kept = memory([0, [car(1, 0.1)]], [200, [car(1, 0.3)]], [100, [car(1, 0.2)]]);
  assert.deepEqual(kept.at(at(100)), [car(1, 0.2)]);
  assert.deepEqual(kept.at(at(200)), [car(1, 0.3)]);
});

test("a picture between two analysed frames gets boxes between theirs", () => {
  const kept = memory([0, [car(1, 0.1), car(2, 0.5)]], [400, [car(1, 0.3), car(3, 0.7)]]);
  const found = kept.at(at(200));
  assert.deepEqual(found.map((track) => track.id), [1]);
  assert.ok(Math.abs((found[0]?.box[0] ?? 0) - 0.2) < 1e-9);
  assert.deepEqual(kept.at(at(40)).map((track) => track.id), [1, 2]);
  assert.deepEqual(kept.at(at(380)).map((track) => track.id), [1, 3]);
});

test("boxes of another time are not drawn", () => {
  const kept = memory([0, [car(1, 0.1)]], [5000, [car(1, 0.9)]]);
  assert.deepEqual(kept.at(at(2500)), []);
  assert.deepEqual(kept.at(at(-500)), []);
  assert.deepEqual(kept.at(at(9000)), []);
  assert.deepEqual(new TrackMemory().at(at(0)), []);
});

test("old frames are let go, and a clock that was put back begins anew", () => {
  const kept = memory(...Array.from({ length: 200 }, (_, i): [number, Track[]] => [i * 100, [car(1, 0.1)]]));
  assert.deepEqual(kept.at(at(0)), []);
  assert.equal(kept.at(at(19_900)).length, 1);
  kept.add({ type: "tracks", camera: "gate", frame: 1, time: at(-60_000), tracks: [car(2, 0.4)] });
  assert.equal(kept.newestMs, Date.parse(at(-60_000)));
});

test("a trail ends at the picture's time, where the track is", () => {
  const kept = memory([0, [car(1, 0.1)]], [100, [car(1, 0.2)]], [200, [car(1, 0.3)]], [300, [car(1, 0.4)]]);
  const points = kept.trails(at(200), 150).get(1)?.points ?? [];
  assert.deepEqual(points.map(([x, y]) => [x.toFixed(2), y]), [["0.25", 0.6], ["0.35", 0.6], ["0.35", 0.6]]);
});

test("a picture waits for its tracks, but not for ever, and the newest wins", () => {
  const hold = new PictureHold();
  hold.add(picture(0), 1000);
  hold.add(picture(80), 1080);
  hold.add(picture(160), 1160);
  assert.equal(hold.due(Date.parse(at(-100)), 1200), null);
  assert.equal(hold.due(Date.parse(at(100)), 1200)?.time, at(80));
  assert.equal(hold.due(Date.parse(at(100)), 1200), null);
  assert.equal(hold.due(Date.parse(at(100)), 1160 + LONGEST_HOLD_MS)?.time, at(160));
  hold.add(picture(240), 2000);
  assert.equal(hold.due(Infinity, 2000)?.time, at(240));
});

const gate: Camera = {
  id: "gate", name: "Gate", url: "demo://traffic", model: "traffic", enabled: true, fps: 10, status: "live",
  since: at(0), measured_fps: 10, resolution: { width: 640, height: 360 }, last_error: null,
};

test("the first reason that holds is told, with what the server said", () => {
  const seen = { isAway: false, missing: null, cameOnce: false };
  const degraded = { ...gate, status: "degraded" as const, last_error: "no route to it", last_error_code: "no-route", last_error_params: { host: "x" } };
  assert.equal(whyMissing(degraded, { ...seen, isAway: true }).kind, "away");
  assert.deepEqual(whyMissing(degraded, seen), {
    kind: "degraded", since: at(0), told: { code: "no-route", params: { host: "x" }, text: "no route to it" },
  });
  assert.deepEqual(whyMissing({ ...gate, status: "disabled" }, seen), { kind: "disabled", since: null, told: null });
  assert.equal(whyMissing(gate, { ...seen, missing: { type: "missing", camera: "gate", code: "x", params: {}, text: "y" } }).kind, "missing");
  assert.equal(whyMissing(gate, seen).kind, "waiting");
  assert.equal(whyMissing(gate, { ...seen, cameOnce: true }).kind, "stopped");
});

test("a picture is old sooner when its camera is said to be away, and later when few are wanted", () => {
  assert.ok(longestStillMs("degraded", 10) < longestStillMs("live", 10));
  assert.equal(longestStillMs("live", 0.2), 20_000);
});
