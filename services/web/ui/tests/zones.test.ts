import assert from "node:assert/strict";
import { test } from "node:test";
import { browserZone, isZoneRefused, knownZones, withKnownZone, zoneOfOffset } from "../src/api/zones.ts";
import { zoneFrom } from "../src/read/address.ts";

test("a time zone that no server knows is UTC", () => {
  for (const zone of ["Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "UTC"]) assert.equal(browserZone(zone), zone);
  for (const legacy of ["US/Pacific", "Asia/Calcutta", "Asia/Kolkata", "GMT", "EST5EDT"]) assert.equal(browserZone(legacy), legacy);
  const before = process.env.TZ;
  for (const [zone, meant] of [["UTC", "UTC"], ["Etc/GMT-3", "Etc/GMT-3"]] as const) {
    process.env.TZ = zone;
    for (const odd of ["Etc/Unknown", "", "undefined", "null", "UTC+2", "GMT+2", "posixrules/../x", "Mars/Base"]) assert.equal(browserZone(odd), meant, odd);
  }
  process.env.TZ = before;
});

test("a link's zone that no server knows is passed over", () => {
  const read = (name: string): string | null => zoneFrom(new URLSearchParams({ tz: name }));
  for (const zone of ["Pacific/Apia", "America/St_Johns"]) assert.equal(read(zone), zone);
  for (const odd of ["Etc/Unknown", "UTC+1", "Mars/Base", ""]) assert.equal(read(odd), null);
});

test("the browser's own zone comes first", () => {
  assert.equal(knownZones()[0], browserZone());
  assert.ok(knownZones().includes("Europe/Berlin"));
});

test("an offset is a zone that every server knows", () => {
  assert.deepEqual([0, -120, 480, 720, -840].map(zoneOfOffset), ["UTC", "Etc/GMT-2", "Etc/GMT+8", "Etc/GMT+12", "Etc/GMT-14"]);
  assert.ok(["+05:30", "UTC"].includes(zoneOfOffset(-330)), "as far as the browser knows it");
});

test("the browser's zone is asked for by its offset once the server has refused its name", async () => {
  const request = new Request(`http://house/api/v1/counts/today?tz=${encodeURIComponent(browserZone())}`);
  const answer = (code: string) => new Response(JSON.stringify({ code }), { status: 422 });
  assert.equal(await isZoneRefused(request, answer("span-empty")), false);
  assert.equal(withKnownZone(request), request);
  assert.equal(await isZoneRefused(new Request("http://house/x?tz=Mars/Base"), answer("zone-unknown")), false, "a link's zone stays");
  assert.equal(await isZoneRefused(request, answer("zone-unknown")), true);
  assert.equal(new URL(withKnownZone(request).url).searchParams.get("tz"), zoneOfOffset(new Date().getTimezoneOffset()));
  assert.equal(await isZoneRefused(request, answer("zone-unknown")), false, "only once");
});
