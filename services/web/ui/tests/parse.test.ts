import assert from "node:assert/strict";
import { test } from "node:test";
import * as parse from "../src/parse.ts";

test("a list comes plain or as items", () => {
  assert.equal(parse.items([{ id: "a" }]).length, 1);
  assert.equal(parse.items({ items: [{ id: "a" }, null] }).length, 1);
  assert.deepEqual(parse.items(null), []);
});

test("a resolution comes as text, pair or object", () => {
  for (const value of ["640x360", [640, 360], { width: 640, height: 360 }]) assert.deepEqual(parse.size(value), { width: 640, height: 360 });
  assert.equal(parse.size(null), null);
});

test("missing fields of a camera and of the system become null or empty", () => {
  const camera = parse.camera({ id: "gate" });
  assert.deepEqual([camera.name, camera.status, camera.lastError], ["gate", "connecting", null]);
  assert.deepEqual(parse.system({}), {
    version: null, database: null, databaseTrouble: null, freeBytes: null, notStored: null, services: [], models: [],
  });
  const full = { kind: "embedded", status: "the disk is full", free_bytes: 5, not_stored: "paths of tracks" };
  assert.deepEqual(parse.system({ fps: { least: 4, most: 60 } }).fps, { min: 4, max: 60 });
  const told = parse.system({ database: full });
  assert.deepEqual([told.databaseTrouble, told.freeBytes, told.notStored], ["the disk is full", 5, "paths of tracks"]);
  assert.equal(parse.system({ database: { ...full, status: "up" } }).databaseTrouble, null);
  assert.deepEqual(parse.system({ services: { web: "ok" } }).services, [{ name: "web", status: "ok" }]);
});

test("a shorter retention and a clock in doubt are told with their numbers", () => {
  const told = parse.system({
    retention: { days: {}, pending: { id: "7", asked: "", hours_left: 23.5, days: { trajectories: 10 }, records: { trajectories: 3 } } },
    clock: { believed: false, doubt: { id: "9", since: "", shows: "2036-11-21T20:43:29.169Z", hours_left: 24 } },
    set_aside: 4,
  }).upkeep;
  assert.deepEqual(told, {
    pending: { id: "7", hoursLeft: 23.5, records: [{ kind: "trajectories", number: 3, days: 10 }] },
    doubt: { id: "9", shows: "2036-11-21T20:43:29.169Z" },
    setAside: 4,
  });
  assert.deepEqual(parse.system({ retention: null, clock: null, set_aside: null }).upkeep, { pending: null, doubt: null, setAside: 0 });
});
