"""Counts as JSON and as rows for spreadsheets: pure.

Both are written bucket by bucket: all at once would keep other threads from running meanwhile.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache
from typing import Any

from services.common.wire import time_text
from services.web.api.forms import Cell, local_time_text
from services.web.api.tally import Counts, LineSeries, Series, Tally

EMPTY = Tally()


def counts_json(counts: Counts) -> bytes:
    """Write counts with their sums, and of each line where they are there."""
    buckets = counts.buckets
    starts = [time_text(start_s) for start_s in buckets.starts]
    head = {"from": time_text(buckets.from_s), "to": time_text(buckets.to_s), "bucket": buckets.name}
    text = f"{_text(head)[:-1]},{_series_text(counts.sums, starts)}"
    if counts.lines is not None:
        text += f',"lines":[{",".join(_line_text(line, starts) for line in counts.lines)}]'
    return f"{text}}}".encode()


def _line_text(line: LineSeries, starts: Sequence[str]) -> str:
    head = _text({"line": line.line, "name": line.name})
    return f"{head[:-1]},{_series_text(line.series, starts)}}}"


def _series_text(series: Series, starts: Sequence[str]) -> str:
    buckets = ",".join(
        f'{{"start":"{start}","coverage":{_share_text(share)},'
        f"{_tally_text(series.tallies.get(place, EMPTY), series.has_rate)}}}"
        for place, (start, share) in enumerate(zip(starts, series.coverage.buckets, strict=True))
    )
    total = series.total()
    counts, compliance = _text(total.as_object()), _text(total.compliance(series.has_rate))
    head = f'"coverage":{_share_text(series.coverage.whole)},"total":{counts},"compliance":{compliance}'
    names = _text({"forward_name": series.forward_name, "backward_name": series.backward_name})
    return f'{head},{names[1:-1]},"buckets":[{buckets}]'


def _tally_text(tally: Tally, has_rate: bool) -> str:
    forward, backward = _by_class_text(tally.forward), _by_class_text(tally.backward)
    compliance = _text(tally.compliance(has_rate)) if tally.has_masks() else _NO_MASKS
    return f'"forward":{forward},"backward":{backward},"compliance":{compliance}'


def _by_class_text(counts: Mapping[str, int]) -> str:
    if not counts:
        return "{}"
    return "{" + ",".join(f"{_key_text(name)}:{counts[name]}" for name in sorted(counts)) + "}"


def _share_text(share: float | None) -> str:
    return "null" if share is None else repr(share)


@lru_cache(1000)
def _key_text(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_NO_MASKS = _text(EMPTY.compliance(True))


def counts_rows(counts: Counts, zone: tzinfo, classes: Sequence[str] = ()) -> Iterator[Sequence[Cell]]:
    """Give a row of names and one for each bucket, of each line where they are there, for a spreadsheet.

    Each class has a column for each direction: those of `classes`, else all that were counted.
    """
    kinds = sorted(classes) or _classes(counts)
    by_class = [f"{direction}_{name}" for name in kinds for direction in ("forward", "backward")]
    place = ["line", "name", "forward_name", "backward_name"] if counts.lines is not None else []
    figures = ["coverage", "forward", "backward", "compliance_rate", "compliance_counted"]
    yield ["start", "local_time", *place, *figures, *by_class]
    starts = [(time_text(start_s), local_time_text(start_s, zone)) for start_s in counts.buckets.starts]
    if counts.lines is None:
        yield from _series_rows(counts.sums, starts, [], kinds)
    for line in counts.lines or ():
        names = [line.line, line.name, line.series.forward_name, line.series.backward_name]
        yield from _series_rows(line.series, starts, names, kinds)


def _series_rows(
    series: Series, starts: Sequence[tuple[str, str]], place: Sequence[Cell], kinds: Sequence[str]
) -> Iterator[Sequence[Cell]]:
    for number, (start, share) in enumerate(zip(starts, series.coverage.buckets, strict=True)):
        tally = series.tallies.get(number, EMPTY)
        compliance = tally.compliance(series.has_rate)
        sums = [sum(tally.forward.values()), sum(tally.backward.values())]
        by_class = [by.get(kind, 0) for kind in kinds for by in (tally.forward, tally.backward)]
        yield [*start, *place, share, *sums, compliance["rate"], compliance["counted"], *by_class]


def _classes(counts: Counts) -> list[str]:
    found: set[str] = set()
    for series in [counts.sums, *(line.series for line in counts.lines or ())]:
        total = series.total()
        found.update(total.forward, total.backward)
    return sorted(found)
