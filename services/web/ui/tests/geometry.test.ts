import assert from "node:assert/strict";
import { test } from "node:test";
import { forwardArrow, movePoints, pictureRect } from "../src/geometry.ts";

test("a picture narrower than its box is centred between bars at its sides", () => {
  assert.deepEqual(pictureRect({ width: 800, height: 360 }, { width: 640, height: 360 }), { x: 80, y: 0, width: 640, height: 360 });
});

test("a picture flatter than its box has bars above and below", () => {
  assert.deepEqual(pictureRect({ width: 320, height: 400 }, { width: 640, height: 360 }), { x: 0, y: 110, width: 320, height: 180 });
});

test("forward is to the right hand of someone who walks from A to B", () => {
  const cases = [
    { path: [[0, 50], [100, 50]], degrees: 90 },
    { path: [[100, 50], [0, 50]], degrees: -90 },
    { path: [[50, 0], [50, 100]], degrees: 180 },
    { path: [[50, 100], [50, 0]], degrees: 0 },
  ] as { path: [number, number][]; degrees: number }[];
  for (const { path, degrees } of cases) {
    const arrow = forwardArrow(path, 10);
    assert.deepEqual(arrow?.from, [50, 50]);
    assert.equal(Math.round(arrow?.degrees ?? NaN) % 360, degrees);
  }
});

test("the arrow of a bent line starts at the middle of its length", () => {
  assert.deepEqual(forwardArrow([[0, 0], [30, 0], [30, 10]], 5)?.from, [20, 0]);
  assert.equal(forwardArrow([[1, 1], [1, 1]], 5), null);
});

test("a line that is pushed against an edge keeps its shape", () => {
  assert.deepEqual(movePoints([[0.1, 0.5], [0.3, 0.9]], -0.5, 0.5), [[0, 0.6], [0.2, 1]]);
});
