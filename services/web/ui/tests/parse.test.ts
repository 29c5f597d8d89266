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
  const told = parse.system({ database: full });
  assert.deepEqual([told.databaseTrouble, told.freeBytes, told.notStored], ["the disk is full", 5, "paths of tracks"]);
  assert.equal(parse.system({ database: { ...full, status: "up" } }).databaseTrouble, null);
  assert.deepEqual(parse.system({ services: { web: "ok" } }).services, [{ name: "web", status: "ok" }]);
});
