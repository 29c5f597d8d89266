import assert from "node:assert/strict";
import { test } from "node:test";
import * as parse from "../src/parseAccess.ts";

test("a session without a role is somebody who has to log in", () => {
  assert.deepEqual(parse.session({ login_wanted: true, user: null, role: null }), { loginWanted: true, user: null, role: null });
  assert.deepEqual(parse.session({ login_wanted: false, role: "admin" }), { loginWanted: false, user: null, role: "admin" });
  assert.equal(parse.session({ login_wanted: true, user: "anna", role: "king" }).role, null);
  assert.equal(parse.session(null).role, null);
});

test("users, tokens and entries with missing fields", () => {
  assert.deepEqual(parse.users({ items: [{ name: "anna", role: "admin" }, { name: "bert" }] }).map((user) => user.role), ["admin", "viewer"]);
  assert.deepEqual(parse.tokens({ items: [{ id: "1", name: "robot" }] })[0], { id: "1", name: "robot", role: "viewer", owner: null, expires: null });
  assert.equal(parse.secret({ token: "sl_x" }), "sl_x");
  const page = parse.audit({ items: [{ action: "login", user: null }], next: "5-a" });
  assert.deepEqual([page.items[0]?.action, page.items[0]?.user, page.items[0]?.count, page.next], ["login", null, 1, "5-a"]);
});
