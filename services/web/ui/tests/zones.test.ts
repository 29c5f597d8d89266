import assert from "node:assert/strict";
import { test } from "node:test";
import { browserZone, knownZones } from "../src/api/zones.ts";
import { zoneFrom } from "../src/read/address.ts";

test("a time zone that no server knows is UTC", () => {
  for (const zone of ["Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "UTC"]) assert.equal(browserZone(zone), zone);
  for (const odd of ["Etc/Unknown", "", "+02:00", "posixrules/../x"]) assert.equal(browserZone(odd), "UTC");
});

test("a link's zone that no server knows is passed over", () => {
  const read = (name: string): string | null => zoneFrom(new URLSearchParams({ tz: name }));
  for (const zone of ["Pacific/Apia", "America/St_Johns"]) assert.equal(read(zone), zone);
  for (const odd of ["Etc/Unknown", "+01:00", "Mars/Base", ""]) assert.equal(read(odd), null);
});

test("the browser's own zone comes first", () => {
  assert.equal(knownZones()[0], browserZone());
  assert.ok(knownZones().includes("Europe/Berlin"));
});
