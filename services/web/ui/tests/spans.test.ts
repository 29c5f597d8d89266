import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketFor, bucketsFor, daysAfter, daysOf, isLocalTime, isMoment, localParts, spanBefore, spanOf } from "../src/read/spans.ts";

const at = (text: string): Date => new Date(text);

test("today is a day of the zone, not of the browser", () => {
  const now = at("2026-11-30T10:30:00Z");
  assert.deepEqual(spanOf("today", now, "Europe/Berlin"), { from: "2026-11-30", to: "2026-12-01" });
  assert.deepEqual(spanOf("today", now, "Pacific/Apia"), { from: "2026-11-30", to: "2026-12-01" });
  assert.deepEqual(spanOf("today", at("2026-11-30T11:00:00Z"), "Pacific/Apia"), { from: "2026-12-01", to: "2026-12-02" });
  assert.deepEqual(spanOf("today", at("2026-11-30T18:29:59Z"), "Asia/Kolkata"), { from: "2026-11-30", to: "2026-12-01" });
  assert.deepEqual(spanOf("today", at("2026-11-30T18:30:00Z"), "Asia/Kolkata"), { from: "2026-12-01", to: "2026-12-02" });
  assert.deepEqual(spanOf("today", at("2026-11-30T03:29:00Z"), "America/St_Johns"), { from: "2026-11-29", to: "2026-11-30" });
  assert.deepEqual(spanOf("today", at("2026-11-30T03:30:00Z"), "America/St_Johns"), { from: "2026-11-30", to: "2026-12-01" });
});

test("the usual spans are whole days of the calendar", () => {
  const now = at("2026-12-02T12:00:00Z");
  assert.deepEqual(spanOf("yesterday", now, "UTC"), { from: "2026-12-01", to: "2026-12-02" });
  assert.deepEqual(spanOf("week", now, "UTC"), { from: "2026-11-30", to: "2026-12-03" });
  assert.deepEqual(spanOf("week", at("2026-11-30T00:00:00Z"), "UTC"), { from: "2026-11-30", to: "2026-12-01" });
  assert.deepEqual(spanOf("week", at("2026-12-06T23:59:59Z"), "UTC"), { from: "2026-11-30", to: "2026-12-07" });
  assert.deepEqual(spanOf("7d", now, "UTC"), { from: "2026-11-26", to: "2026-12-03" });
  assert.deepEqual(spanOf("month", now, "UTC"), { from: "2026-12-01", to: "2026-12-03" });
  assert.deepEqual(spanOf("30d", now, "UTC"), { from: "2026-11-03", to: "2026-12-03" });
});

test("on days when clocks change, and on one that a zone left out, days are still days", () => {
  assert.deepEqual(spanOf("today", at("2026-03-29T00:30:00Z"), "Europe/Berlin"), { from: "2026-03-29", to: "2026-03-30" });
  assert.deepEqual(spanOf("7d", at("2026-03-31T22:30:00Z"), "Europe/Berlin"), { from: "2026-03-26", to: "2026-04-02" });
  assert.deepEqual(spanOf("yesterday", at("2026-10-25T23:30:00Z"), "Europe/Berlin"), { from: "2026-10-25", to: "2026-10-26" });
  assert.deepEqual(localParts(at("2011-12-30T09:59:59Z"), "Pacific/Apia"), { date: "2011-12-29", time: "23:59:59" });
  assert.deepEqual(localParts(at("2011-12-30T10:00:00Z"), "Pacific/Apia"), { date: "2011-12-31", time: "00:00:00" });
});

test("the last 24 hours end with the hour that runs, in half-hour zones too, and over midnight", () => {
  assert.deepEqual(spanOf("day", at("2026-11-30T10:10:00Z"), "UTC"), { from: "2026-11-29T11:00", to: "2026-11-30T11:00" });
  assert.deepEqual(spanOf("day", at("2026-11-30T10:10:00Z"), "Asia/Kolkata"), { from: "2026-11-29T16:00", to: "2026-11-30T16:00" });
  assert.deepEqual(spanOf("day", at("2026-11-30T23:10:00Z"), "UTC"), { from: "2026-11-30T00:00", to: "2026-12-01T00:00" });
  assert.deepEqual(spanOf("day", at("2027-01-01T03:40:00Z"), "America/St_Johns"), { from: "2026-12-31T01:00", to: "2027-01-01T01:00" });
});

test("midnight is 00, in every zone", () => {
  assert.equal(localParts(at("2026-11-30T00:00:00Z"), "UTC").time, "00:00:00");
  assert.equal(localParts(at("2026-11-29T23:00:00Z"), "Europe/Berlin").time, "00:00:00");
});

test("days on the calendar go over months, years and leap days", () => {
  assert.equal(daysAfter("2028-02-28", 1), "2028-02-29");
  assert.equal(daysAfter("2026-12-31", 1), "2027-01-01");
  assert.equal(daysAfter("2026-03-01", -1), "2026-02-28");
  assert.equal(daysOf({ from: "2026-03-29", to: "2026-03-30" }), 1);
  assert.equal(daysOf({ from: "2026-11-30T06:00", to: "2026-11-30T12:00" }), 0.25);
});

test("the span before has the same length, and the same days of the week", () => {
  assert.deepEqual(spanBefore({ from: "2026-11-30", to: "2026-12-01" }), { from: "2026-11-29", to: "2026-11-30" });
  assert.deepEqual(spanBefore({ from: "2026-11-24", to: "2026-12-01" }), { from: "2026-11-17", to: "2026-11-24" });
  assert.deepEqual(spanBefore({ from: "2026-11-01", to: "2026-12-01" }), { from: "2026-09-27", to: "2026-10-27" });
  assert.deepEqual(spanBefore({ from: "2026-11-29T11:00", to: "2026-11-30T11:00" }), { from: "2026-11-28T11:00", to: "2026-11-29T11:00" });
  assert.deepEqual(spanBefore({ from: "2026-11-30T06:00", to: "2026-11-30T12:00" }), { from: "2026-11-29T06:00", to: "2026-11-29T12:00" });
});

test("intervals make neither thousands of bars nor one", () => {
  const span = (days: number) => ({ from: "2026-01-01", to: daysAfter("2026-01-01", days) });
  assert.deepEqual(bucketsFor(span(1)), ["1m", "5m", "15m", "1h"]);
  assert.deepEqual(bucketsFor(span(7)), ["5m", "15m", "1h", "1d"]);
  assert.deepEqual(bucketsFor(span(31)), ["15m", "1h", "1d"]);
  assert.deepEqual(bucketsFor(span(365)), ["1d"]);
  assert.deepEqual([bucketFor({ from: "2026-01-01T00:00", to: "2026-01-01T06:00" }), bucketFor(span(1)), bucketFor(span(7)), bucketFor(span(30))], ["5m", "1h", "1h", "1d"]);
  for (const days of [1, 2, 7, 8, 30, 31, 120, 365]) assert.ok(bucketsFor(span(days)).includes(bucketFor(span(days))), `${days} days`);
});

test("only what the server takes is a local time or a moment", () => {
  for (const good of ["2026-11-30", "2026-11-30T05:00", "2026-11-30T05:00:10"]) assert.ok(isLocalTime(good), good);
  for (const bad of [null, undefined, "", "today", "2026-13-01", "2026-11-30T25:00", "2026-11-30Z", "2026-11-30T05", "x2026-11-30"]) assert.ok(!isLocalTime(bad), String(bad));
  assert.ok(isMoment("2026-11-30T08:02:18.062Z"));
  for (const bad of [null, "", "2026-11-30", "2026-11-30T08:02:18", "2026-99-30T08:02:18Z"]) assert.ok(!isMoment(bad), String(bad));
});
