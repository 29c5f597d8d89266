"""Pictures as one endless HTTP answer (MJPEG), in the form that players and other programs know."""

BOUNDARY = "mjpegstream"
MEDIA_TYPE = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
END = f"--{BOUNDARY}--\r\n".encode()

NO_STORE = {
    "Cache-Control": "no-cache, no-store, must-revalidate",
    "Pragma": "no-cache",
    "Expires": "Thu, 01 Jan 1980 00:00:00 GMT",
}
"""No cache may keep what a camera shows."""


def part(jpeg: bytes) -> bytes:
    """Give one picture as a part of the answer."""
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"
