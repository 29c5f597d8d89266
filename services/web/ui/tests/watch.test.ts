import assert from "node:assert/strict";
import { test } from "node:test";
import type { Picture, Track } from "../src/api/live-messages.ts";
import type { Camera } from "../src/api/types.ts";
import { learnExactTime, learnTime, serverNow } from "../src/api/clock.ts";
import { classColor, inkOn } from "../src/parts/class-colors.ts";
import { latestGaps, missingSpans } from "../src/watch/coverage.ts";
import { arrowDegrees, arrowOf, labelOf } from "../src/watch/drawing.ts";
import { ordered, pageOf } from "../src/watch/paging.ts";
import { PictureRates } from "../src/watch/rates.ts";
import { snapshotName } from "../src/watch/snapshot.ts";
import { both, classesOf, compliance } from "../src/watch/today.ts";
import { widthFor } from "../src/watch/widths.ts";
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
  id: "gate", name: "Gate", url: "demo://traffic", model: "traffic", classes: null, enabled: true, fps: 10, status: "live",
  since: at(0), measured_fps: 10, resolution: { width: 640, height: 360 }, last_error: null, last_error_code: null, last_error_params: {}, generation: 1, created: at(0), damaged_share: 0, verify: false, tiles: "1x1",
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

test("pages of a wall keep their order, and a page that is none is the nearest one", () => {
  const all = ["Gate 10", "gate 2", "Alley"].map((name, i) => ({ id: `c${i}`, name }));
  assert.deepEqual(ordered(all).map(({ name }) => name), ["Alley", "gate 2", "Gate 10"]);
  const many = Array.from({ length: 18 }, (_, i) => i);
  assert.deepEqual(pageOf(many, 2), { items: [16, 17], page: 2, pages: 2 });
  assert.deepEqual(pageOf(many, 9).page, 2);
  assert.deepEqual(pageOf(many, Number.NaN).page, 1);
  assert.deepEqual(pageOf([], 3), { items: [], page: 1, pages: 1 });
});

test("gaps lie where they were in the day so far", () => {
  const gap = (from: number, to: number) => ({ from: at(from), to: at(to), cause: "x" });
  const found = missingSpans([gap(-100, 250), gap(500, 750), gap(-50, -10)], at(0), Date.parse(at(1000)));
  assert.deepEqual(found.map(({ start, width }) => [start, width]), [[0, 0.25], [0.5, 0.25]]);
  assert.deepEqual(missingSpans([gap(0, 10)], at(0), Date.parse(at(0))), []);
  assert.deepEqual(latestGaps([gap(0, 1), gap(5, 6), gap(3, 4)], 2).map(({ from }) => from), [at(5), at(3)]);
});

test("who wears a mask is told only of lines that count all states", () => {
  const counts = { forward: { mask: 2, no_mask: 1 }, backward: { mask: 1, car: 9 } };
  assert.deepEqual(compliance(counts, null), { worn: 3, people: 4 });
  assert.equal(compliance(counts, ["mask", "no_mask"]), null);
  assert.equal(compliance({ forward: { car: 3 }, backward: {} }, null), null);
  assert.deepEqual(compliance(counts, null, ["mask", "no_mask"]), { worn: 3, people: 4 });
  assert.equal(compliance(counts, null, ["helmet", "mask"]), null);
  assert.deepEqual(compliance(counts, null, ["person", "car"]), { worn: 3, people: 4 });
  assert.deepEqual(classesOf(counts), ["car", "mask", "no_mask"]);
  assert.equal(both(counts), 13);
});

test("an arrow points to the right hand of who walks the longest part of a line", () => {
  const arrow = arrowOf([[0, 0], [0, 10], [1, 10]], 4);
  assert.deepEqual(arrow, { from: [0, 5], to: [-4, 5] });
  assert.equal(arrowOf([], 4), null);
  assert.equal(Math.round(arrowDegrees([[0, 0], [1, 0]], 2)), 180);
});

test("a class has one colour, and words on it can be read", () => {
  assert.equal(classColor("forklift"), classColor("forklift"));
  assert.equal(classColor("car"), "#2196f3");
  assert.equal(inkOn("#ffc13b"), "#101418");
  assert.equal(inkOn("#9c27b0"), "#ffffff");
});

test("a label names class, number and how a mask is worn", () => {
  const person: Track = { ...car(7, 0.1), class: "person", mask: "no_mask" };
  assert.equal(labelOf(person, (name) => name), "person 7 · no_mask");
  assert.equal(labelOf({ ...person, class: "no_mask" }, (name) => name), "no_mask 7");
});

test("rates are of the last seconds only", () => {
  const rates = new PictureRates();
  for (let ms = 0; ms <= 8000; ms += 100) rates.add(ms, ms < 7000 ? 900 : 300);
  assert.ok(Math.abs((rates.at(8000)?.fps ?? 0) - 10) < 0.01);
  assert.equal(rates.at(8000)?.delayMs, 900);
  assert.equal(rates.at(20_000), null);
});

test("the server's time is that of its quickest word", () => {
  learnExactTime(new Date(10_000).toISOString(), 9_900);
  learnExactTime(new Date(11_000).toISOString(), 11_400);
  assert.ok(Math.abs(serverNow().getTime() - Date.now() - 100) < 50);
  learnExactTime(new Date(100_000).toISOString(), 40_000);
  assert.ok(Math.abs(serverNow().getTime() - Date.now() - 60_000) < 50);
  const now = Date.now();
  learnTime(new Date(now + 60_000).toUTCString(), now, now + 10);
  assert.ok(Math.abs(serverNow().getTime() - Date.now() - 60_000) < 50, "an answer that fits takes nothing back");
  for (const stepMs of [3_600_000, -3_600_000, 0]) {
    learnTime(new Date(now + stepMs).toUTCString(), now, now + 10);
    assert.ok(Math.abs(serverNow().getTime() - Date.now() - stepMs) < 1100, "one of the two clocks was set");
  }
});

test("pictures are asked for in few widths", () => {
  assert.deepEqual([100, 641, 5000].map(widthFor), [480, 960, 1920]);
});

test("a snapshot is named by camera and time, without what file systems refuse", () => {
  assert.match(snapshotName("gate", at(0)), /^gate \d{4}-\d\d-\d\d \d\d-\d\d-\d\d\.jpg$/);
});

test("a class may be called as what every object has", () => {
  const counts = { forward: { constructor: 2 } as unknown as Record<string, number>, backward: { car: 1 } };
  assert.deepEqual(classesOf(counts), ["constructor", "car"]);
});
