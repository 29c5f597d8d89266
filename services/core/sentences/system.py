"""What is said of the services and of the database, by code: part of the catalogue."""

SYSTEM: dict[str, str] = {
    # How a service is doing
    "running": "running",
    "stopped": "stopped",
    "service-none": "no process of this service is alive",
    "service-unknown": "unknown: NATS is away",
    "nats-away": "NATS is away",
    "nats-login": "NATS refuses the login: check user and password in {variable}",
    "nats-login-at": "NATS at {address} refuses the login: check user and password in {variable}",
    "nats-login-now": "NATS now refuses the login: check user and password in {variable}",
    "nats-closed": "NATS has closed the connection for good: start this service again",
    "nats-rights": "NATS refuses to let this service {what}: its user needs the permissions of "
    "configmaps/nats-users.conf",
    "port-closed": "port {port} is not open yet",
    "video-port-closed": "the port of the video is not open yet",
    "nats-silent": "NATS does not answer ({reason})",
    "cameras-not-seeded": "the cameras of the command line are not set up yet",
    "admin-not-made": "somebody who can log in is not there yet",
    "several": "{first}; {second}",
    # How the database is doing
    "up": "up",
    "database-unasked": "the database has not answered yet",
    "database-silent": "the database at {address} does not answer",
    "database-slow": "the database at {address} has not written a document within {seconds:g} s",
    "database-login": "the database at {address} refuses the login",
    "database-wants-login": "the database at {address} wants a login: give user and password in its address",
    "database-rights": "the database at {address} does not let Sightline's account run {command}: grant it "
    "the role readWrite on the database {database}",
    "database-rights-unnamed": "the database at {address} does not let Sightline's account run what was "
    "asked of it: grant it the role readWrite on the database {database}",
    "database-failed": "the database at {address} failed: {reason}",
    "database-full": "the disk of the database at {address} is full",
    "database-half-restored": "the database holds a part of a backup: a restore has not ended. "
    "If it does not run any more, run `sightline restore FILE --replace` again",
    "database-half-restored-since": "the database holds a part of a backup: a restore that began at {time} "
    "UTC has not ended. If it does not run any more, run `sightline restore FILE --replace` again",
    "database-newer": "the data has schema version {version}, this program knows up to {known}: "
    "use the newer version of Sightline",
    "database-watch-failed": "the watch over the database failed, as the log describes",
    "database-ended": "the database ended (code {exit})",
    "database-stuck": "the database lives and does not work",
    "database-restarts": "{reason}; it is started again",
    "database-disk-unknown": "the disk of {folder} cannot be asked: {reason}",
    "database-disk-full": "the disk of {folder} is full ({megabytes} MB free): make room; "
    "counting goes on by itself with {needed} MB",
    "database-no-room": "the disk of {folder} is full, or the quota on it is used up: make room",
    "database-damaged": "the database cannot use its files in {folder}, which seem damaged ({reason}): end "
    "Sightline, move that folder away, and bring back a backup with `sightline restore FILE` "
    "({log} says more)",
    "process-ends": "this process ends",
    "disk-no-trajectories": "the paths of tracks are not stored ({megabytes} MB free)",
    "disk-counts-only": "paths of tracks, changes of status and the audit log are not stored "
    "({megabytes} MB free)",
    "disk-full": "the disk is full: counts wait until there is room ({megabytes} MB free)",
    "disk-full-unmeasured": "the disk is full: counts wait until there is room",
    # What waits for a person
    "retention-gone": "this retention does not wait any more: look again",
    "clock-gone": "this clock is not in doubt any more: look again",
}
