import assert from "node:assert/strict";
import { test } from "node:test";
import { hoursOfDay, missing } from "../src/hours.ts";
import { dayRange, duration, hoursOf, percent } from "../src/time.ts";

process.env["TZ"] = "Europe/Berlin";

test("a day has 23, 24 or 25 hours", () => {
  const hours = (day: string) => hoursOf(dayRange(new Date(day))).length;
  assert.deepEqual(["2026-03-29T12:00:00", "2026-06-01T12:00:00", "2026-10-25T12:00:00"].map(hours), [23, 24, 25]);
});

test("an hour without an answer was not analysed, one to come has no coverage", () => {
  const now = new Date("2026-06-01T02:30:00");
  const none = { rate: null, counted: 0 };
  const bucket = { start: new Date("2026-06-01T01:00:00").toISOString(), coverage: 1, forward: { car: 3, bus: 1 }, backward: {}, compliance: { ...none, forward: none, backward: none } };
  const hours = hoursOfDay(dayRange(now), [bucket], now);
  assert.deepEqual(hours.slice(0, 4).map((hour) => hour.coverage), [0, 1, 0, null]);
  assert.deepEqual(hours.slice(0, 4).map(missing), [1, 0, 1, 0]);
  assert.equal(hours[1]?.forward, 4);
});

test("a share is never rounded up to the whole", () => {
  assert.deepEqual([1, 0.999, 0.98, 0.29, 0].map(percent), ["100 %", "99 %", "98 %", "29 %", "0 %"]);
});

test("durations", () => {
  assert.deepEqual([4000, 125_000, 3_600_000, 5_400_000, 200_000_000].map(duration), ["4 s", "2 min", "1 h", "1 h 30 min", "2 days"]);
});
