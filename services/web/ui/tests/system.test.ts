import assert from "node:assert/strict";
import { test } from "node:test";
import type { CameraGapAnswer, CostAnswer, DiskAnswer, LogItem } from "../src/api/schema.ts";
import { inside, kindOf, lengthOf, marksOf, timed } from "../src/system/gaps.ts";
import { Growth, isNearlyFull, troublesOf } from "../src/system/judge.ts";
import { MOST_RECORDS, asText, found, merged } from "../src/system/log.ts";
import { around, between, moved, scaled, spanOf, ticksOf, within, zoomOf, zoomText } from "../src/system/spans.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const gap = (from: number, to: number, cause = "service not running", code = "other"): CameraGapAnswer =>
  ({ camera: "gate", from: new Date(from).toISOString(), to: new Date(to).toISOString(), cause, code, params: {} });

test("causes are told apart by their code, and by their words where there is none", () => {
  const kinds = [["not-running", "stopped"], ["switched-off", "off"], ["too-few-frames", "few"], ["camera-slow", "few"], ["camera-login", "camera"],
    ["stream-silent", "camera"], ["clock-set-back", "clock"], ["of-a-later-release", "other"]] as const;
  for (const [code, kind] of kinds) assert.equal(kindOf(gap(0, 1, "x", code)), kind, code);
  for (const [cause, kind] of [["service not running", "stopped"], ["switched off", "off"], ["too few frames analysed", "few"], ["the clock was set back", "clock"],
    ["the camera refuses the login", "camera"]] as const) {
    assert.equal(kindOf(gap(0, 1, cause)), kind, cause);
  }
});

test("gaps of one kind that lie too close to be told apart are one mark, others are not", () => {
  const gaps = timed([gap(30 * MINUTE, 31 * MINUTE), gap(0, 10_000), gap(12_000, 20_000), gap(20_000, 30_000, "switched off")]);
  const marks = marksOf(gaps, { fromMs: 0, toMs: HOUR }, 600);
  assert.deepEqual(marks.map((mark) => [mark.kind, mark.gaps.length]), [["stopped", 2], ["off", 1], ["stopped", 1]]);
  assert.equal(marks[2]?.left, 0.5);
  assert.equal(marksOf(gaps, { fromMs: 0, toMs: MINUTE }, 600).length, 3);
});

test("what reaches over the borders of the span counts within it", () => {
  const span = { fromMs: 10 * MINUTE, toMs: 20 * MINUTE };
  const gaps = timed([gap(0, 12 * MINUTE), gap(19 * MINUTE, 40 * MINUTE), gap(50 * MINUTE, HOUR)]);
  assert.equal(inside(gaps, span).length, 2);
  assert.equal(lengthOf(gaps, span), 3 * MINUTE);
  assert.deepEqual(marksOf(gaps, span, 100).map((mark) => [mark.left, Math.round(mark.width * 100)]), [[0, 20], [0.9, 10]]);
});

test("spans end now, zooms stay within them and come back from an address", () => {
  const now = new Date(2026, 10, 21, 15, 30).getTime();
  assert.equal(spanOf("today", now).fromMs, new Date(2026, 10, 21).getTime());
  assert.equal(spanOf("7d", now).fromMs, now - 7 * 24 * HOUR);
  const all = { fromMs: 0, toMs: 10 * HOUR };
  assert.deepEqual(scaled({ fromMs: 0, toMs: 2 * HOUR }, 2, all), { fromMs: 0, toMs: 4 * HOUR });
  assert.deepEqual(scaled(all, 3, all), all);
  assert.deepEqual(moved({ fromMs: 8 * HOUR, toMs: 10 * HOUR }, 0.5, all), { fromMs: 8 * HOUR, toMs: 10 * HOUR });
  assert.deepEqual(within({ fromMs: -HOUR, toMs: HOUR }, all), { fromMs: 0, toMs: 2 * HOUR });
  assert.deepEqual(between(0.5, 0.2, all), { fromMs: 2 * HOUR, toMs: 5 * HOUR });
  assert.equal(between(0.2, 0.2, all).toMs - between(0.2, 0.2, all).fromMs, MINUTE);
  assert.deepEqual(around(all, { fromMs: -5, toMs: 5 }), { fromMs: -5, toMs: 10 * HOUR });
  assert.deepEqual(zoomOf(zoomText({ fromMs: 1000, toMs: 100_000 })), { fromMs: 1000, toMs: 100_000 });
  for (const odd of ["", "5", "9-1", "x-y", "1-2", "0-999999999999999"]) assert.equal(zoomOf(odd), null, odd);
});

test("an axis has few round times, whatever the span", () => {
  const from = new Date(2026, 10, 21, 0, 7).getTime();
  for (const length of [MINUTE, 10 * MINUTE, HOUR, 24 * HOUR, 7 * 24 * HOUR, 30 * 24 * HOUR, 400 * 24 * HOUR]) {
    for (const most of [3, 8]) {
      const ticks = ticksOf({ fromMs: from, toMs: from + length }, most);
      assert.ok(ticks.length >= 1 && ticks.length <= most + 1, `${length} ${ticks.length}`);
      for (const { atMs } of ticks) assert.equal(atMs % MINUTE, 0);
    }
  }
  assert.deepEqual(ticksOf({ fromMs: from, toMs: from + 2 * 24 * HOUR }, 4).map((tick) => tick.isDay), [false, true, false, true]);
});

test("records are put together once each, the oldest gives way, and the filter takes all words", () => {
  const item = (id: number, level: LogItem["level"] = "info", text = "x"): LogItem => ({ id, time: "2026-11-21T20:43:29Z", level, service: "web", text });
  assert.deepEqual(merged([item(1), item(2)], [item(2), item(3)]).map((one) => one.id), [1, 2, 3]);
  const full = Array.from({ length: MOST_RECORDS }, (_, id) => item(id));
  assert.equal(merged(full, [item(MOST_RECORDS)]).length, MOST_RECORDS);
  assert.equal(merged(full, []), full);
  assert.deepEqual(merged([item(5000)], [item(10), item(11)]).map((one) => one.id), [10, 11], "a server whose clock was set back began anew");
  const some = [item(1, "error", "Camera gate lost"), item(2, "info", "gate is live"), item(3, "warning", "camera door lost")];
  assert.deepEqual(found(some, "warning", "").map((one) => one.id), [3, 1]);
  assert.deepEqual(found(some, "debug", " LOST  camera gate").map((one) => one.id), [1]);
  assert.match(asText(found(some, "warning", "")), /error web: Camera gate lost\n.*warning web: camera door lost\n$/);
});

test("losses are those since the page saw the counter first", () => {
  const growth = new Growth();
  assert.deepEqual([5, 5, 8, 2, 3].map((count) => growth.since("events", count)), [0, 0, 3, 2, 3]);
  assert.equal(growth.since("video", 3), 0);
});

test("figures that say that something is wrong are told", () => {
  const cost = { frames_per_s: 10, received_fps: 25, delay_ms: 80 } as CostAnswer;
  assert.deepEqual(troublesOf(cost, 10, 4, 0), []);
  assert.deepEqual(troublesOf({ ...cost, frames_per_s: 5 }, 10, 4, 0), ["slow"]);
  assert.deepEqual(troublesOf(cost, 10, 4, 2), ["slow"]);
  assert.deepEqual(troublesOf({ ...cost, frames_per_s: 0.9, received_fps: 2.9 }, 10, 4, 0), ["slow"]);
  assert.deepEqual(troublesOf({ ...cost, frames_per_s: 3, received_fps: 3, delay_ms: 5000 }, 10, 4, 0), ["late", "few"]);
  const disk = { free_bytes: 50e9, used_bytes: 50e9, total_bytes: 100e9 } as DiskAnswer;
  assert.equal(isNearlyFull(disk), false);
  assert.equal(isNearlyFull({ ...disk, free_bytes: 5e9 }), true);
  assert.equal(isNearlyFull({ ...disk, free_bytes: 300e9, total_bytes: 4e12 }), false);
  assert.equal(isNearlyFull({ ...disk, free_bytes: 1e9, total_bytes: 5e9 }), true);
});
