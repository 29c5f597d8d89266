import assert from "node:assert/strict";
import { test } from "node:test";
import { complianceText } from "../src/compliance.ts";
import { hoursOfDay } from "../src/hours.ts";
import * as parse from "../src/parse.ts";

test("a rate is told with the number that it rests on, and never rounded up to all", () => {
  assert.equal(complianceText({ rate: 0.75, counted: 8 }), "75 % of 8");
  assert.equal(complianceText({ rate: 0.999, counted: 1000 }), "99 % of 1000");
  assert.equal(complianceText({ rate: 0, counted: 3 }), "0 % of 3");
});

test("where nobody or not all was counted there is a dash", () => {
  assert.match(complianceText({ rate: null, counted: 0 }), /^– \(nobody counted\)$/);
  assert.match(complianceText({ rate: null, counted: 4 }), /^– \(this line/);
});

test("counts without a compliance have none, and so has an hour without a bucket", () => {
  const counts = parse.counts({ buckets: [{ start: "2026-11-21T00:00:00.000Z", compliance: { rate: 0.5, counted: 2 } }] });
  assert.deepEqual(counts.compliance, { rate: null, counted: 0 });
  const day = { from: new Date("2026-11-21T00:00:00Z"), to: new Date("2026-11-21T02:00:00Z") };
  const hours = hoursOfDay(day, counts.buckets, new Date("2026-11-21T03:00:00Z"));
  assert.deepEqual(hours.map((hour) => hour.compliance), [{ rate: 0.5, counted: 2 }, { rate: null, counted: 0 }]);
});
