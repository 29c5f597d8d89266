// Run by mongosh when the database is empty, and again by hand where accounts are missing or have new
// passwords (docs/operations.md): it makes or changes them, and deletes nothing.
//
// Each service has an account of its own, which may no more than read and write the database of Sightline.
// The store alone may also say how long records are kept.
const fs = require("fs");

const sightline = db.getSiblingDB("sightline");

const retention = {
  privileges: [{ resource: { db: "sightline", collection: "" }, actions: ["collMod"] }],
  roles: [],
};
if (sightline.getRole("retention")) {
  sightline.updateRole("retention", retention);
} else {
  sightline.createRole({ role: "retention", ...retention });
}

function makeAccount(user, roles) {
  const path = `/etc/sightline/secrets/mongodb-${user}/password`;
  const account = { pwd: fs.readFileSync(path, "utf8").trim(), roles };
  if (sightline.getUser(user)) {
    sightline.updateUser(user, account);
  } else {
    sightline.createUser({ user, ...account });
  }
}

makeAccount("store", ["readWrite", "retention"]);
makeAccount("web", ["readWrite"]);
