import assert from "node:assert/strict";
import { test } from "node:test";
import { cameraOf, fragmentOf, timeZone } from "../src/address.ts";

test("a fragment names a camera, or nothing", () => {
  assert.equal(cameraOf("#gate"), "gate");
  assert.equal(cameraOf(fragmentOf("süd 1%")), "süd 1%");
  for (const odd of ["", "#", "#%", "#%E0%A4%A", "#%ff", "#100%"]) assert.equal(cameraOf(odd), null);
});

test("a time zone that no server knows is UTC", () => {
  for (const zone of ["Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "UTC"]) assert.equal(timeZone(zone), zone);
  for (const odd of ["Etc/Unknown", "", "+02:00", "posixrules/../x"]) assert.equal(timeZone(odd), "UTC");
});
