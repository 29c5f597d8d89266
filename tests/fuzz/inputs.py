"""Values at the ends of what fields take, by the name of the field: random texts hardly ever reach them."""

from typing import Any

from hypothesis import strategies as st

TIMES = (
    "2026-11-28T00:00:00Z",
    "2026-11-29T18:30:00.169Z",
    "0001-01-01",
    "0001-01-02",
    "1969-12-31T23:59:59Z",
    "1970-01-01",
    "2026-01-01T00:00:00+14:00",
    "2026-03-29T00:30:00Z",
    "2026-11-29T12:00:00.0004Z",
    "2199-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59.9999Z",
    "0",
    "-1",
    "1e308",
    "nan",
    "9" * 400,
)
LONG_PATH = "/" + "x" * 300
STREAM = "rtsp://user:p@192.0.2.1:554/x"

FITTING: dict[str, tuple[Any, ...]] = {
    "from": TIMES,
    "to": TIMES,
    "expires": (*TIMES, "never", None),
    "cursor": ("9" * 400, "OTk5OTk5OTk5OTk5OTk5OSB4", "OTk5" * 200, "1-x", "9" * 400 + "-x", "MSB4"),
    "bucket": ("1m", "15m", "1h", "1d"),
    "tz": ("UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Europe", "Etc/Unknown"),
    "camera": ("gate",),
    "line": ("main", ["main", "main", ""], ["main"] * 101),
    "class": ("car", ["car", "mask"], ["cars", "=x"], "x" * 101),
    "direction": ("forward", ["forward", "backward"], ["up"]),
    "mask": ("mask", ["no_mask", "mask_incorrect"], "none"),
    "by": ("line",),
    "min_confidence": (0, 0.5, 1, "nan", 1e308),
    "max_confidence": (0, 0.5, 1, "inf"),
    "spreadsheet": ("comma", "semicolon"),
    "generation": (1, 2, 10**6, 10**400),
    "limit": (1, 100, 5000, 10**18),
    "format": ("json", "csv", "ndjson", "parquet"),
    "id": ("gate", "main", "other", None),
    "name": ("Gate", "root", "ü" * 200, "\u2028"),
    "url": ("demo://traffic", "demo://masks?seed=5", STREAM, LONG_PATH, "x" * 301, "rtsp://[::1", "/etc"),
    "model": ("traffic", "mask", "x" * 301, None),
    "fps": (1, 60, 0.5, 1e308, 10**400),
    "enabled": (True, False),
    "role": ("admin", "viewer"),
    "user": ("root", "nobody", "x" * 200),
    "password": ("correct horse battery", "x" * 1000, "short"),
    "old_password": ("correct horse battery", "wrong"),
    "keep_tokens": (True, False),
    "points": (
        [[0.1, 0.7], [0.9, 0.7]],
        [[0, 0], [1, 1], [0, 1]],
        [[1e308, 0], [0, 1]],
        [[10**400, 0], [0, 1]],
        [[0.1, 0.7], [0.9, 0.7]] * 60,
        [[[]], {}],
    ),
    "anchor": ("centre", "foot", None, []),
    "classes": (None, ["car"], ["car"] * 5000, [[]], [None]),
    "color": ("#ff6b35", "#", 5),
    "forward_name": ("in", "x" * 41, "", None, []),
    "backward_name": ("out", " ", 5, None),
    "version": (1, 10**400, True),
}

ODD = (
    "",
    "x" * 5000,
    "\x00",
    "\u0663",
    "../../etc/passwd",
    "$where",
    "a.b.$c",
    "1e400",
    "2026-01-01",
    [],
    {},
    {"$gt": ""},
    [[[[]]]],
    0,
    -1,
    2**63,
    10**400,
    None,
    True,
)


def fields(data: st.DataObject, names: list[str], drawn: dict[str, Any]) -> dict[str, Any]:
    """Give fields of which all, or all but one, have values of their kind, so that each is looked at."""
    spoiled = data.draw(st.sampled_from([*names, *[None] * (len(names) + 1)]))
    found: dict[str, Any] = {}
    for name in names:
        if name == spoiled:
            found[name] = data.draw(st.sampled_from(ODD))
        elif name in FITTING and data.draw(st.integers(0, 3)):
            found[name] = data.draw(st.sampled_from(FITTING[name]))
        elif name in drawn:
            found[name] = drawn[name]
    return found


def query_fields(data: st.DataObject, names: list[str], drawn: dict[str, Any]) -> dict[str, str | list[str]]:
    """Give the same as they stand in an address, where a list stands for a name that is repeated."""
    return {name: _in_query(value) for name, value in fields(data, names, drawn).items()}


def _in_query(value: Any) -> str | list[str]:
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return value
    return value if isinstance(value, str) else str(value)
