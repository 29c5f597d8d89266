import assert from "node:assert/strict";
import { test } from "node:test";
import type { Point } from "../src/api/types.ts";
import { clampPoint, forwardArrow, movePoints, placeAlong, snapped } from "../src/draw/geometry.ts";
import { LINE, doubledPoint, inserted, middlesOf, pointBehind, pulled, removed } from "../src/draw/shapes.ts";

const SIZE = { width: 800, height: 400 };
const AREA = { isClosed: true, leastPoints: 3, mostPoints: 100 };
const BENT: Point[] = [[0.1, 0.5], [0.5, 0.5], [0.9, 0.1]];

const near = (found: Point | undefined, wanted: Point): void => {
  assert.ok(found && Math.hypot(found[0] - wanted[0], found[1] - wanted[1]) < 1e-5, `${String(found)} is not ${String(wanted)}`);
};

test("points stay within the picture, and a line keeps its form at the edge", () => {
  assert.deepEqual(clampPoint([-0.2, 1.5]), [0, 1]);
  assert.deepEqual(movePoints([[0.1, 0.2], [0.4, 0.6]], -0.5, 0.9), [[0, 0.6], [0.3, 1]]);
});

test("the arrow shows to the right hand of who walks from A to B", () => {
  const arrow = forwardArrow([[0, 0], [100, 0]], 30);
  assert.deepEqual([arrow?.from, arrow?.to], [[50, 0], [50, 30]]);
  assert.equal(forwardArrow([[5, 5], [5, 5]], 30), null);
});

test("Shift keeps to steps of 15 degrees as they look on the screen, within the picture", () => {
  near(snapped([0.5, 0.5], [0.9, 0.51], SIZE), [0.9, 0.5]);
  near(snapped([0.5, 0.5], [0.6, 0.72], SIZE), [0.605, 0.71]);
  for (const to of [[1, 1], [0, 1], [0.2, 0], [1, 0.9]] as Point[]) {
    const [x, y] = snapped([0.9, 0.9], to, SIZE);
    assert.ok(x >= 0 && x <= 1 && y >= 0 && y <= 1);
  }
});

test("a hand pulls a point, the middle of a segment, or the whole", () => {
  const point = pulled(BENT, { kind: "point", index: 1 }, [0.5, 0.5], [0.6, 0.7], SIZE, false);
  assert.deepEqual(point, [[0.1, 0.5], [0.6, 0.7], [0.9, 0.1]]);
  const middle = pulled(BENT, { kind: "middle", index: 0 }, [0.3, 0.5], [0.3, 0.8], SIZE, false);
  assert.deepEqual(middle, [[0.1, 0.5], [0.3, 0.8], [0.5, 0.5], [0.9, 0.1]]);
  const whole = pulled(BENT, { kind: "whole" }, [0.5, 0.5], [0.55, 0.6], SIZE, false);
  assert.deepEqual(whole, [[0.15, 0.6], [0.55, 0.6], [0.95, 0.2]]);
  const upright = pulled(BENT, { kind: "whole" }, [0.5, 0.5], [0.51, 0.6], SIZE, true);
  assert.deepEqual(upright, [[0.1, 0.6], [0.5, 0.6], [0.9, 0.2]]);
});

test("points are put in and taken out, and as many stay as a shape needs", () => {
  assert.deepEqual(inserted(BENT, 0, [0.3, 0.4])[1], [0.3, 0.4]);
  assert.deepEqual(removed(BENT, 1, LINE), [[0.1, 0.5], [0.9, 0.1]]);
  assert.equal(removed(BENT.slice(0, 2), 0, LINE).length, 2);
  assert.equal(removed(BENT, 0, AREA).length, 3);
  assert.equal(middlesOf(BENT, LINE).length, 2);
  assert.equal(middlesOf(BENT, AREA).length, 3);
  const full = Array.from({ length: 100 }, (_, index): Point => [index / 100, 0.5]);
  assert.equal(middlesOf(full, LINE).length, 0);
  assert.equal(pointBehind(full, 3, LINE), null);
  assert.equal(pointBehind(BENT, 2, LINE)?.after, 1);
});

test("two points that lie on one another are found, by the second", () => {
  assert.equal(doubledPoint(BENT), null);
  assert.equal(doubledPoint([[0.1, 0.1], [0.1, 0.10005], [0.5, 0.5]]), 1);
});

test("a place along a bent path is by the length of its arc", () => {
  const path: Point[] = [[0, 0], [100, 0], [100, 300]];
  assert.deepEqual(placeAlong(path, 0), [0, 0]);
  assert.deepEqual(placeAlong(path, 0.5), [100, 100]);
  assert.deepEqual(placeAlong(path, 1), [100, 300]);
  assert.deepEqual(placeAlong(path, 7), [100, 300]);
});
