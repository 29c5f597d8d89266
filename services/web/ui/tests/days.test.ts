import assert from "node:assert/strict";
import { test } from "node:test";
import { localParts, spanOf } from "../src/read/spans.ts";
import { ticksOf } from "../src/system/spans.ts";

/** Days of every zone that this machine knows, around every change of its clock from 2000 to 2037. */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** No clock is set and set back within so long. */
const LOOK = 14 * DAY;
const [FIRST, LAST] = [Date.UTC(2000, 0), Date.UTC(2038, 0)];

const shown = (ms: number, zone: string): number => {
  const { date, time } = localParts(new Date(ms), zone);
  return Date.parse(`${date}T${time}Z`);
};
const offset = (ms: number, zone: string): number => shown(ms, zone) - ms;

function changesOf(zone: string, firstYear: number): number[] {
  const found: number[] = [];
  let before = offset(firstYear, zone);
  for (let start = firstYear; start < LAST; start += LOOK) {
    const after = offset(start + LOOK, zone);
    if (after !== before) {
      let [low, high] = [start, start + LOOK];
      while (high - low > MINUTE) {
        const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
        if (offset(middle, zone) === before) low = middle; else high = middle;
      }
      found.push(high);
    }
    before = after;
  }
  return found;
}

/** The moment that a server takes a local time for: the first of that name, or as far behind the change as it is behind its begin. */
function moment(local: string, zone: string, changes: readonly number[]): number {
  const named = Date.parse(local.length === 10 ? `${local}T00:00Z` : `${local}Z`);
  const near = changes.filter((change) => Math.abs(change - named) < 3 * DAY).flatMap((change) => [change - 1000, change]);
  const offsets = near.length > 0 ? near.map((at) => offset(at, zone)) : [offset(named, zone)];
  const fits = offsets.map((by) => named - by).filter((at) => shown(at, zone) === named);
  return fits.length > 0 ? Math.min(...fits) : named - (offsets[0] ?? 0);
}

test("today holds now, and yesterday ends where it begins, around every change of every clock", () => {
  let seen = 0;
  const known = new Set<string>();
  for (const zone of Intl.supportedValuesOf("timeZone")) {
    const changes = changesOf(zone, FIRST);
    for (const change of changes) {
      const kind = `${change} ${offset(change - 1000, zone)} ${offset(change, zone)}`;
      if (known.has(kind)) continue;
      known.add(kind);
      for (const now of [change - 30 * MINUTE, change + 30 * MINUTE, change + 25 * HOUR]) {
        const why = `${zone} ${new Date(now).toISOString()}`;
        const [today, yesterday, day] = (["today", "yesterday", "day"] as const).map((preset) => spanOf(preset, new Date(now), zone));
        assert.ok(today && yesterday && day);
        const [from, to] = [moment(today.from, zone, changes), moment(today.to, zone, changes)];
        assert.ok(from <= now && now < to, `${why} ${today.from} ${today.to}`);
        assert.ok(to - from >= 20 * HOUR && to - from <= 28 * HOUR, why);
        assert.equal(yesterday.to, today.from);
        assert.ok(moment(yesterday.from, zone, changes) < from, why);
        assert.ok(moment(day.from, zone, changes) < now && now < moment(day.to, zone, changes), `${why} ${day.from} ${day.to}`);
        seen++;
      }
    }
  }
  assert.ok(seen > 9000, String(seen));
});

test("an axis names no time twice and reaches its end where clocks change", () => {
  const before = process.env.TZ;
  try {
    for (const zone of ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns", "Antarctica/Casey", "Asia/Beirut"]) {
      process.env.TZ = zone;
      for (const change of changesOf(zone, Date.UTC(2006, 0))) {
        for (const [length, most] of [[6 * HOUR, 14], [DAY, 8], [6 * DAY, 8]] as const) {
          const span = { fromMs: change - length / 2, toMs: change + length / 2 };
          const ticks = ticksOf(span, most).map((tick) => tick.atMs);
          assert.deepEqual(ticks, [...new Set(ticks)].sort((a, b) => a - b), `${zone} ${change}`);
          const step = Math.min(...ticks.slice(1).map((at, index) => at - (ticks[index] ?? 0)));
          assert.ok((ticks.at(-1) ?? 0) > span.toMs - Math.max(step, length / most) - 25 * HOUR * Number(zone === "Pacific/Apia") - 3 * HOUR, `${zone} ${change} ${length}`);
        }
      }
    }
  } finally {
    process.env.TZ = before;
  }
});
