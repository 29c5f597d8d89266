import assert from "node:assert/strict";
import { test } from "node:test";
import { missedOf, stacked, thinned } from "../src/read/bars.ts";
import { classColor } from "../src/parts/class-colors.ts";
import { partColor } from "../src/read/colors.ts";
import { classesOf, linesOf } from "../src/read/lines.ts";
import { comeSince } from "../src/read/newest.ts";
import { placeOf } from "../src/read/place.ts";
import { besides, differenceOf, isToCome, joinedCompliance, leastCoverage, tableOf } from "../src/read/series.ts";
import type { Answer, BucketCounts } from "../src/read/series.ts";

const NOBODY = { rate: null, counted: 0 };
const bucket = (hour: number, forward: Record<string, number>, backward: Record<string, number>, more: Partial<BucketCounts> = {}): BucketCounts =>
  ({ start: `2026-11-30T0${hour}:00:00.000Z`, coverage: 1, forward, backward, compliance: NOBODY, ...more });

const gate: Answer = {
  camera: "gate", to: "2026-11-30T02:00:00.000Z", coverage: 0.75,
  buckets: [bucket(0, { car: 2, person: 1 }, { car: 3 }), bucket(1, {}, { bus: 4 }, { coverage: 0.5 })],
  lines: [
    { line: "a", name: "A", coverage: 1, buckets: [bucket(0, { car: 2 }, {}), bucket(1, {}, {})] },
    { line: "b", name: "B", coverage: 1, buckets: [bucket(0, { person: 1 }, { car: 3 }), bucket(1, {}, { bus: 4 })] },
  ],
};
const door: Answer = {
  camera: "door", to: gate.to, coverage: 0.9,
  buckets: [bucket(0, { mask: 5 }, {}, { coverage: 0.8, compliance: { rate: 1, counted: 5 } }), bucket(1, {}, {}, { coverage: null })],
  lines: [{ line: "a", name: "A", coverage: 0.9, buckets: [bucket(0, { mask: 5 }, {}), bucket(1, {}, {})] }],
};

test("cameras are put together, whichever way the bars are made up", () => {
  const table = tableOf([gate, door], "direction");
  assert.deepEqual(table.series.map(({ key, values }) => [key, values]), [["forward", [8, 0]], ["backward", [3, 4]]]);
  assert.deepEqual([table.totals, table.total], [[11, 4], 15]);
  assert.deepEqual(table.starts, [Date.parse("2026-11-30T00:00:00Z"), Date.parse("2026-11-30T01:00:00Z")]);
  assert.equal(table.endMs, Date.parse(gate.to));
  assert.deepEqual(tableOf([gate, door], "class").series.map(({ key, total }) => [key, total]), [["car", 5], ["mask", 5], ["bus", 4], ["person", 1]]);
  assert.deepEqual(tableOf([gate, door], "line").series.map(({ key, values }) => [key, values]), [["gate/a", [2, 0]], ["gate/b", [4, 4]], ["door/a", [5, 0]]]);
  for (const stack of ["class", "line"] as const) assert.deepEqual(tableOf([gate, door], stack).totals, table.totals);
});

test("coverage is that of the least covered camera; what has not begun has none", () => {
  const table = tableOf([gate, door], "direction");
  assert.deepEqual(table.coverage, [0.8, 0.5]);
  assert.equal(table.wholeCoverage, 0.75);
  assert.equal(tableOf([door], "direction").coverage[1], null);
  assert.equal(leastCoverage([null, null]), null);
  assert.equal(leastCoverage([null, 0]), 0);
});

test("a camera without a line takes nothing from the coverage of the sum, as it counts nothing", () => {
  const bare: Answer = { ...door, camera: "new", coverage: 0, lines: [], buckets: [bucket(0, {}, {}, { coverage: 0 }), bucket(1, {}, {}, { coverage: 0 })] };
  const table = tableOf([gate, bare], "direction");
  assert.equal(table.wholeCoverage, 0.75);
  assert.deepEqual(table.coverage, [1, 0.5]);
  assert.equal(tableOf([bare], "direction").wholeCoverage, 0);
});

test("a time without coverage is to come only where it begins later than now", () => {
  assert.equal(isToCome(2000, 1000), true);
  assert.equal(isToCome(1000, 2000), false);
  assert.equal(isToCome(undefined, 2000), false);
});

test("beside a time in which no camera was there stands nothing, not a zero", () => {
  assert.deepEqual(besides(tableOf([gate], "direction"), 3), [6, 4, null]);
  assert.deepEqual(besides(tableOf([door], "direction"), 2), [5, null]);
});

test("nothing asked is nothing, not a fault", () => {
  const table = tableOf([], "direction");
  assert.deepEqual([table.starts, table.total, table.wholeCoverage], [[], 0, null]);
});

test("shares of people are weighted by how many there were, and unknown where one is", () => {
  assert.deepEqual(joinedCompliance([{ rate: 1, counted: 1 }, { rate: 0.5, counted: 3 }, NOBODY]), { rate: 0.625, counted: 4 });
  assert.deepEqual(joinedCompliance([{ rate: 1, counted: 1 }, { rate: null, counted: 3 }]), { rate: null, counted: 4 });
  assert.deepEqual(joinedCompliance([]), NOBODY);
  assert.deepEqual(tableOf([gate, door], "direction").wholeCompliance, { rate: 1, counted: 5 });
});

test("a difference is told as a number and as a share, if there is one", () => {
  assert.deepEqual(differenceOf(15, 10), { by: 5, share: 0.5 });
  assert.deepEqual(differenceOf(5, 10), { by: -5, share: -0.5 });
  assert.deepEqual(differenceOf(5, 0), { by: 5, share: null });
});

test("bars stand on one another; seconds of a reconnect are no gap", () => {
  assert.deepEqual(stacked([{ values: [1, 2] }, { values: [3, 0] }, { values: [0, 5] }]), [[1, 2], [4, 2], [4, 7]]);
  assert.deepEqual(stacked([]), []);
  assert.deepEqual([missedOf(1), missedOf(0.995), missedOf(null), missedOf(0)], [0, 0, 0, 1]);
  assert.ok(Math.abs(missedOf(0.6) - 0.4) < 1e-9);
});

test("words below the bars do not touch", () => {
  const places = (count: number) => Array.from({ length: count }, (_, index) => index);
  assert.deepEqual(thinned(places(4), 400, 60), [0, 1, 2, 3]);
  assert.deepEqual(thinned(places(6), 200, 60), [0, 2, 4]);
  assert.deepEqual(thinned([0, 24, 48, 72], 130, 60), [0, 48]);
  assert.deepEqual(thinned([], 200, 60), []);
  assert.equal(thinned(places(720), 300, 90).length, 4);
  assert.equal(thinned(places(3), 0, 60).length, 1);
});

test("a class has one colour in every chart, the states of masks three that differ", () => {
  assert.deepEqual(["helmet", "head", "vest", "Gabelstapler für Paletten", "=1+1", "constructor"].map(classColor), ["#96e170", "#d6b03d", "#d63dc9", "#d68a3d", "#e1b270", "#54b125"]);
  assert.equal(new Set(Array.from({ length: 80 }, (_, index) => classColor(`class ${index}`))).size > 60, true);
  assert.match(classColor("forklift"), /^#[0-9a-f]{6}$/);
  assert.equal(new Set(["mask", "no_mask", "mask_incorrect"].map(classColor)).size, 3);
  assert.equal(new Set(["person", "car", "bicycle", "truck", "bus", "motorbike"].map(classColor)).size, 6);
  assert.equal(new Set(Array.from({ length: 10 }, (_, index) => partColor(index))).size, 10);
  assert.equal(partColor(10), partColor(0));
});

test("classes are those of a camera's model, also by another name of it", () => {
  const models = [{ name: "traffic-n", aliases: ["traffic"], classes: ["person", "car"] }, { name: "mask-n", aliases: [], classes: ["mask"] }];
  const camera = (model: string, classes: string[] | null = null) => ({ model, classes });
  assert.deepEqual(classesOf([camera("traffic"), camera("traffic-n")], models), ["person", "car"]);
  assert.deepEqual(classesOf([camera("mask-n")], models), ["mask"]);
  assert.deepEqual(classesOf([camera("/srv/site.onnx", ["helmet", "head"]), camera("traffic")], models), ["helmet", "head", "person", "car"]);
  assert.deepEqual(classesOf([camera("/srv/other.onnx")], models), []);
});

test("lines to choose from are those of the cameras that are chosen", () => {
  const cameras = [{ id: "gate", name: "Gate" }, { id: "door", name: "Door" }];
  const lines = [[{ id: "a", name: "A" }], [{ id: "a", name: "In" }, { id: "b", name: "Out" }]];
  assert.deepEqual(linesOf(cameras, lines, ["door"]).map((one) => one.value), ["door/a", "door/b"]);
  assert.deepEqual(linesOf(cameras, lines, ["gate", "door"]).map((one) => one.group), ["Gate", "Door", "Door"]);
  assert.deepEqual(linesOf(cameras, [], ["gate"]), []);
});

test("what has come since is counted; where there may be more between, that is told", () => {
  const items = (...ids: string[]) => ids.map((id) => ({ id }));
  assert.deepEqual(comeSince(items("3", "2", "1"), items("5", "4", "3", "2")), { count: 2, isMore: false });
  assert.deepEqual(comeSince(items("3", "2"), items("3", "2")), { count: 0, isMore: false });
  assert.deepEqual(comeSince(items("3", "2"), items("9", "8", "7")), { count: 3, isMore: true });
  assert.deepEqual(comeSince([], items("2", "1")), { count: 2, isMore: false });
  assert.deepEqual(comeSince(items("3", "1"), items("3", "2", "1")), { count: 0, isMore: false });
});

test("the place on a line is by its length on the picture, the arrow to the side that is crossed to", () => {
  const size = { width: 200, height: 100 };
  const down = placeOf([[0.5, 0], [0.5, 1]], 0.25, "forward", size, 10);
  assert.deepEqual(down?.at, [100, 25]);
  assert.ok(down && Math.abs(down.tip[0] - 90) < 1e-6 && Math.abs(down.tip[1] - 25) < 1e-6);
  const back = placeOf([[0.5, 0], [0.5, 1]], 0.25, "backward", size, 10);
  assert.ok(back && Math.abs(back.tip[0] - 110) < 1e-6);
  assert.deepEqual(placeOf([[0, 0], [1, 0], [1, 1]], 2 / 3, "forward", size, 10)?.at, [200, 0]);
  assert.equal(placeOf([[0.5, 0.5], [0.5, 0.5]], 0.5, "forward", size, 10), null);
});
