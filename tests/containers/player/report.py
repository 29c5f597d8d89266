"""What each pod took of the machine, beside what its manifest asks for."""

from collections.abc import Iterable

from tests.containers.player.running import RunningPod

MIB = 2**20
HEAD = ("pod", "MiB asked", "most", "limit", "cores asked", "mean", "most", "limit", "held back", "runs")


def usage_table(pods: Iterable[RunningPod]) -> str:
    """One line a pod."""
    rows = [HEAD, *(_row(found) for found in pods)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(text.rjust(width) if column else text.ljust(width) for column, (text, width) in cells)
        for cells in (list(enumerate(zip(row, widths, strict=True))) for row in rows)
    )


def _row(found: RunningPod) -> tuple[str, ...]:
    asked, took = found.pod.container.resources, found.usage
    return (
        found.pod.workload,
        f"{asked.memory_request_bytes / MIB:.0f}",
        f"{took.memory_peak_bytes / MIB:.0f}",
        f"{(asked.memory_limit_bytes or 0) / MIB:.0f}",
        f"{asked.cpu_request:.2f}",
        f"{took.cores:.2f}",
        f"{took.cores_peak:.2f}",
        f"{asked.cpu_limit or 0:.2f}",
        f"{took.throttled:.0%}",
        str(found.runs),
    )
