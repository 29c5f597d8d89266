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
    "troubled": "not running as it should: an admin sees why",
    "other-processes": "this is what the process that serves the page knows: on the machines of the others, "
    "their own log and `sightline doctor` say the rest",
    "other-figures": "its own /metrics, on its health port (9090 if none was given), has its queues",
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
    # What computes a model, and why
    "engine-only": "it is the only engine that can be used here",
    "engine-fastest": "it is the fastest of the engines that compute right",
    "engine-reference": "no other engine is clearly faster, by at least a tenth",
    "engine-forced": "the settings name it",
    "engine-forced-unusable": "the settings name another engine, which cannot be used here",
    "trial-right": "it computes the same as the reference",
    "trial-reference": "what it computes is what the others are held to",
    "trial-differs": "it computes something else than the reference: not used",
    "trial-unable": "it cannot compute this model: not used",
    "trial-not-installed": "it is not installed",
    "trial-no-gpu": "no NVIDIA GPU can be used",
    "trial-no-tensorrt": "TensorRT cannot be used: its libraries or an NVIDIA GPU are missing",
    "trial-no-bfloat": "this processor does not compute bfloat16",
    # What a look at the host and at the system finds
    "findings-late": "the host cannot be looked at now: try again later",
    "host-software": "Sightline {version}, Python {python}, {platform}",
    "host-processor": "{name}, {cores} cores, load {load:.1f}",
    "host-memory": "{total} in all, {available} available",
    "host-memory-unknown": "the system does not say",
    "host-disk": "{free} free for {folder}",
    "host-disk-not-writable": "{free} free for {folder}, which is not writable",
    "host-packages": "{packages}",
    "host-onnxruntime": "ONNX Runtime: {providers}",
    "host-openvino": "OpenVINO: {devices}",
    "host-openvino-no-device": "OpenVINO: no device",
    "host-openvino-missing": "OpenVINO is not installed (often the faster one on Intel)",
    "host-clock": "synchronised, estimated error {error_ms:.1f} ms",
    "host-clock-unknown": "the system does not say whether its clock is synchronised",
    "host-clock-not-synchronised": "not synchronised by this host: times of counts may drift "
    "(install chrony)",
    "service-troubled": "{service}: {status}",
    "database-works": "the database writes and reads",
    "database-fails": "the database does not work: {cause}",
    "records-not-stored": "for want of room: {what}",
    "camera-troubled": "camera {camera}: {cause}",
    "picture-none": "no picture comes",
}
