import assert from "node:assert/strict";
import { test } from "node:test";
import { complianceText } from "../src/compliance.ts";
import { hoursOfDay } from "../src/hours.ts";

test("a rate is told with the number that it rests on, and never rounded up to all", () => {
  assert.equal(complianceText({ rate: 0.75, counted: 8 }), "75 % of 8");
  assert.equal(complianceText({ rate: 0.999, counted: 1000 }), "99 % of 1000");
  assert.equal(complianceText({ rate: 0, counted: 3 }), "0 % of 3");
});

test("where nobody or not all was counted there is a dash", () => {
  assert.match(complianceText({ rate: null, counted: 0 }), /^– \(nobody counted\)$/);
  assert.match(complianceText({ rate: null, counted: 4 }), /^– \(this line/);
});

test("an hour without a bucket has no compliance", () => {
  const compliance = { rate: 0.5, counted: 2 };
  const both = { ...compliance, forward: compliance, backward: compliance };
  const bucket = { start: "2026-11-21T00:00:00.000Z", coverage: 1, forward: {}, backward: {}, compliance: both };
  const day = { from: new Date("2026-11-21T00:00:00Z"), to: new Date("2026-11-21T02:00:00Z") };
  const hours = hoursOfDay(day, [bucket], new Date("2026-11-21T03:00:00Z"));
  assert.deepEqual(hours.map((hour) => hour.compliance.rate), [0.5, null]);
});
