// Run once, by mongosh, when the database is empty: the account of the services, who need no more than to
// read and write their own database.
const fs = require("fs");

db.getSiblingDB("sightline").createUser({
  user: "sightline",
  pwd: fs.readFileSync("/etc/sightline/secrets/mongodb/password", "utf8").trim(),
  roles: [{ role: "readWrite", db: "sightline" }],
});
