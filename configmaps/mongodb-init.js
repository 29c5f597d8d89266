// Run by mongosh when the database is empty, and again by hand where accounts are missing or have new
// passwords (docs/operations.md): it makes or changes them, and deletes nothing.
//
// Each service has an account of its own, which may no more than read and write the database of Sightline: what
// deletes old records is the store, not the server, and needs no further right.
const fs = require("fs");

const sightline = db.getSiblingDB("sightline");

function makeAccount(user) {
  const path = `/etc/sightline/secrets/mongodb-${user}/password`;
  const account = { pwd: fs.readFileSync(path, "utf8").trim(), roles: ["readWrite"] };
  if (sightline.getUser(user)) {
    sightline.updateUser(user, account);
  } else {
    sightline.createUser({ user, ...account });
  }
}

makeAccount("store");
makeAccount("web");
