"""What is said of cameras' streams and of time that was not counted, by code: part of the catalogue."""

STREAMS: dict[str, str] = {
    # A stream that does not open
    "camera-login": "the camera refuses user or password",
    "camera-login-percent": "the camera refuses user or password: in an address %41 stands for A, so that a "
    "% which belongs to the password is written %25",
    "camera-login-missing": "the camera asks for user and password: put them into its address, in "
    "front of the host",
    "camera-login-kind": "the camera asks for a login of a kind that Sightline cannot answer ({kind}), so "
    "that user and password were not judged: set its RTSP authentication to Digest (MD5) or Basic",
    "camera-login-later": "the camera describes its stream, and refuses user or password for its pictures "
    "({method}): look at the password, at whether this user may watch live, and set its RTSP authentication "
    "to Digest (MD5) or Basic",
    "camera-redirects": "the camera sends on to another address, where its password is not given: give that "
    "address itself if it is right, {address}",
    "camera-forbidden": "the camera refuses access to this stream",
    "camera-no-such-path": "the camera knows no stream at this path",
    "camera-refused": "connection refused: nothing listens at this address and port",
    "camera-host-unknown": "there is no host of this name: {host}",
    "camera-unreachable": "no way leads to this address: look at the network, and at the address",
    "camera-reset": "the camera closes the connection: look at the port, and at rtsp:// or rtsps://",
    "camera-no-tls": "what answers there does not speak rtsps:// (TLS): try rtsp://",
    "camera-cannot-serve": "the camera answers that it cannot give this stream: look at its path, and at how "
    "many others watch it",
    "camera-timeout": "the camera does not answer in time",
    "camera-patience": "the camera does not answer in time, {seconds:g} s (setting camera_patience_s)",
    "camera-silent": "the camera opens its stream by {transport} and sends no picture within {seconds:g} s",
    "camera-silent-both": "the camera opens its stream and sends no picture within {seconds:g} s, by TCP as "
    "by UDP (setting camera_patience_s)",
    "camera-transport": "the camera does not send its pictures by {transport}: it answers {answer}",
    "camera-numbers-restart": "the camera numbers its packets anew within a session; it is dialled again "
    "without a look at them, so that packets which never came are noticed less",
    "camera-no-session": "the camera describes its stream and breaks off when its pictures are asked for by "
    "{transport}: restart it, and look at how many others watch it",
    "camera-no-transport": "the camera sends its pictures neither by TCP nor by UDP: set its RTSP transport "
    "to TCP, in place of multicast or RTSP over HTTP",
    "camera-multicast": "the camera sends its pictures by multicast only: set its RTSP transport to unicast, "
    "by TCP or UDP",
    "camera-bad-request": "the camera does not understand what it is asked (400): look at the path, and at "
    "the port, which is 554 at most cameras; RTSP over HTTP is not supported",
    "camera-no-end": "the camera does not answer in time, or what it answers has no end",
    "stream-not-video": "what answers there is no video stream (not RTSP, or not a video), or its "
    "description is too large",
    "stream-unsupported": "this kind of address is not supported",
    "stream-kind-unsupported": "this kind of address is not supported: give rtsp://, rtsps://, a file path, "
    "demo://traffic or demo://masks",
    "stream-file-missing": "there is no such file",
    "stream-file-unreadable": "the file may not be read by the service that reads cameras",
    "stream-memory": "the stream takes more memory than Sightline gives to a camera",
    "stream-no-video": "the stream has no video",
    "stream-codec": "the stream is {codec}: set the camera to H.264 or H.265",
    "stream-many": "the camera describes {most} streams or more in one session",
    "stream-no-process": "no process can be started for the camera: {reason}",
    "scene-none": "this address names no demo scene",
    # A stream that ends, or sends what nobody can take
    "stream-ended": "the stream ended",
    "stream-ended-early": "the stream ended before its first picture",
    "stream-broken": "the stream broke off: {reason}",
    "stream-no-size": "the camera has sent no key frame for {seconds:g} s, so that nobody knows how "
    "large its pictures are: set its key frame interval to 1 or 2 s",
    "stream-silent": "the reader of the camera's stream sends nothing any more",
    "stream-reader-ended": "the reader of the camera's stream ended (code {exit}): the camera sends "
    "something broken, or more than Sightline takes",
    "stream-reader-flood": "the reader of the camera's stream sent {bytes} bytes at once",
    "stream-opening-memory": "opening the camera's stream takes more memory than Sightline gives to one: its "
    "description or its pictures are too large, or have no end",
    "stream-reading-memory": "the camera's stream takes more memory than Sightline gives to one: a picture "
    "in it is too large, or has no end",
    "stream-opening-work": "opening the camera's stream takes more than {seconds:g} s of processor time: "
    "what the camera answers is too large, or has no end",
    "stream-reading-work": "the camera's stream takes more processor time than Sightline gives to one: it "
    "sends too much, or too little of it is video",
    "stream-too-large": "the stream is too large: {reason}",
    "stream-grown-too-large": "the camera's stream is too large: {reason}",
    "stream-references": "the camera's stream is too large: a decoder has to keep {pictures} pictures of "
    "{width}x{height} for it; choose another profile in the camera",
    "picture-too-large": "its pictures have {width}x{height} pixels, and Sightline takes up to "
    "{megapixels:.1f} megapixels with no side over {side}",
    "picture-parts": "a picture of the camera has more than {most} parts",
    "picture-bytes": "a picture of the camera has {megabytes:.0f} MB, and Sightline takes up to {most:.0f}: "
    "lower its quality or size",
    "camera-too-fast": "the camera sends more than {most} pictures a second",
    "camera-too-much": "the camera sends more than {most} Mbit/s: lower its quality",
    "camera-codec-changes": "the camera sends {codec} now: it is connected anew",
    "camera-resizes": "the camera changes the size of its pictures again and again",
    "video-too-short": "the video is shorter than {seconds:g} s: give a longer one",
    "fault": "a fault in Sightline, which its log describes",
    # A camera that is tested before it is added
    "test-no-ingest": "no ingest service answers, so that no camera can be tested: see that one runs",
    "test-no-answer": "the ingest service does not answer in time: try again",
    "test-version": "an ingest service of another version answers: update it",
    "tests-full": "the ingest service tests other cameras already: try again soon",
    "stream-no-picture": "the stream opens, but no picture of it could be shown within {seconds:g} s: set "
    "the camera's key frame interval to 1 or 2 s",
    "stream-no-key-frame": "the stream opens, but no key frame came within {seconds:g} s, without which "
    "nothing can be shown: set the camera's key frame interval (also GOP or I-frame interval) to 1 or 2 s",
    # A camera that gives no picture now
    "analysis-failed": "the analysis of its pictures failed and begins again: the log of the detector says "
    "why",
    "analysis-no-model": "its pictures are not analysed, for its model cannot be used: {reason}",
    "key-frame-awaited": "the camera sends key frames too rarely, and without one nothing can be shown or "
    "counted: set its key frame interval (also GOP or I-frame interval) to 1 or 2 s",
    "camera-off": "camera {camera!r} is switched off",
    "camera-no-picture": "camera {camera!r} gives no picture now",
    "camera-no-picture-because": "camera {camera!r} gives no picture now: {reason}",
    "camera-pictures-ended": "the pictures of camera {camera} ended",
    "camera-degraded": "degraded",
    "camera-connecting": "connecting",
    "camera-unreported": "no ingest service tells of this camera",
    "picture-not-encoded": "the picture could not be encoded",
    "pictures-too-large": "the camera's pictures are too large for the memory of live pictures, "
    "{megabytes:g} MB (setting live_memory_mb)",
    "pictures-too-many": "the {cameras} cameras that are watched need the memory of live pictures, "
    "{megabytes:g} MB (setting live_memory_mb): watch fewer at once",
    "service-ends": "this service ends",
    "service-begins": "cameras are not known yet",
    "video-not-picture": "what came is no picture",
    "video-version": "the other side sends video in version {version}, this one reads {known}",
    "video-no-tls": "it offers no TLS, and this service talks to nobody without",
    # Why time was not counted
    "switched-off": "switched off",
    "not-running": "service not running",
    "too-few-frames": "too few frames analysed",
    "camera-slow": "the camera sends {rate:.1f} pictures a second, too few to count: at least {least:g} are "
    "needed; raise its frame rate, and in the dark the slowest shutter that it may choose",
    "camera-very-slow": "the camera sends a picture every {seconds:.0f} s, too few to count: at least "
    "{least:g} are needed; raise its frame rate, and in the dark the slowest shutter that it may choose",
    "camera-bursts": "the camera sends {rate:.1f} pictures a second in bursts, too uneven to count: at least "
    "one is needed every {seconds:g} s; let it send them evenly",
    "camera-damaged": "{percent:g} % of the camera's pictures came damaged, since packets were lost on the "
    "way; connect it by wire, let it send over TCP, or lower its bit rate",
    "camera-damaged-some": "pictures of the camera came damaged, since packets were lost on the way; connect "
    "it by wire, let it send over TCP, or lower its bit rate",
    "clock-set-forward": "the clock of this machine was set forward by {span}",
    "clock-set-back": "the clock of this machine was set back by {span}",
    "clock-set-back-least": "the clock of this machine was set back by at least {span}",
    "time-again": "{reason}; what comes again is not counted twice, until {until}",
}
