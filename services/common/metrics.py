"""Figures for Prometheus: the one table of all that any service exports, and their text form."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

METRICS_TYPE = CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """What one figure means."""

    kind: Literal["gauge", "counter"]
    help: str
    labels: tuple[str, ...] = ()


METRICS: dict[str, MetricInfo] = {
    "sightline_info": MetricInfo("gauge", "Always 1; names version and service.", ("service", "version")),
    "sightline_start_time_seconds": MetricInfo("gauge", "When the process started, in seconds since 1970."),
    "sightline_database_up": MetricInfo("gauge", "Whether the database writes and reads."),
    "sightline_database_free_bytes": MetricInfo("gauge", "What is free on the database's disk."),
    "sightline_database_restarts_total": MetricInfo("counter", "Times that the database was started again."),
    "sightline_nats_up": MetricInfo("gauge", "Whether the message server answers."),
    "sightline_cameras_owned": MetricInfo("gauge", "Cameras that this process works on.", ("role",)),
    "sightline_camera_live": MetricInfo("gauge", "Whether a camera's stream is live.", ("camera",)),
    "sightline_camera_fps": MetricInfo("gauge", "Analysed frames a second.", ("camera",)),
    "sightline_pictures_received_total": MetricInfo("counter", "Pictures that a camera sent.", ("camera",)),
    "sightline_pictures_damaged_total": MetricInfo(
        "counter",
        "Pictures that lack a part that was lost on the way, or stand on one that does.",
        ("camera",),
    ),
    "sightline_live_pictures": MetricInfo("gauge", "Picture streams that are being made."),
    "sightline_live_cameras": MetricInfo("gauge", "Cameras that are decoded because somebody watches."),
    "sightline_live_memory_bytes": MetricInfo("gauge", "Memory of the pictures that are kept for watchers."),
    "sightline_live_memory_limit_bytes": MetricInfo("gauge", "Most memory for pictures of all cameras."),
    "sightline_live_refused_total": MetricInfo(
        "counter", "Watchers of a further camera for whose pictures there was no memory."
    ),
    "sightline_sockets": MetricInfo("gauge", "WebSockets of pages that are open."),
    "sightline_sockets_refused_total": MetricInfo(
        "counter", "WebSockets beyond the most that may be open, of one user or of all."
    ),
    "sightline_camera_tests": MetricInfo("gauge", "Addresses of cameras that are tried now."),
    "sightline_camera_tests_refused_total": MetricInfo(
        "counter", "Addresses beyond the most that may be tried at once, of one user or of all."
    ),
    "sightline_questions": MetricInfo("gauge", "Large questions that are answered or wait for their turn."),
    "sightline_questions_refused_total": MetricInfo(
        "counter", "Large questions beyond the most that may wait, of one user or of all."
    ),
    "sightline_events_waiting": MetricInfo("gauge", "Events that are published and not yet acknowledged."),
    "sightline_events_dropped_total": MetricInfo(
        "counter", "Events that the bound of the buffer could not hold; their seconds become gaps."
    ),
    "sightline_tracks_dropped_total": MetricInfo(
        "counter", "Frames of live tracks that could not be sent, or that slow readers have lost."
    ),
    "sightline_messages_refused_total": MetricInfo(
        "counter", "Messages of other services that were broken, foreign or of another version."
    ),
    "sightline_pictures_dropped_total": MetricInfo(
        "counter", "Pictures that a slow viewer of a stream lost.", ("port",)
    ),
    "sightline_events_written_total": MetricInfo("counter", "Events that became durable in the database."),
    "sightline_events_fenced_total": MetricInfo(
        "counter", "Events of an older owner that the database refused or removed."
    ),
    "sightline_events_set_aside_total": MetricInfo(
        "counter", "Events that were dated more than 60 s ahead of the clock and wait for their time."
    ),
    "sightline_clock_believed": MetricInfo(
        "gauge", "Whether the store believes its clock; nothing is deleted while it does not."
    ),
    "sightline_records_deleted_total": MetricInfo(
        "counter", "Records that were older than their retention.", ("kind",)
    ),
    "sightline_events_not_stored_total": MetricInfo(
        "counter", "Records that were given up, because the database's disk is nearly full.", ("kind",)
    ),
    "sightline_video_dropped_total": MetricInfo(
        "counter", "Pictures that a slow reader of video lost.", ("camera",)
    ),
    "sightline_video_readers_dropped_total": MetricInfo(
        "counter", "Pictures that analysis, live pictures and streams of this process were too slow for."
    ),
    "sightline_connections": MetricInfo("gauge", "Connections that are open on a port.", ("port",)),
    "sightline_connections_refused_total": MetricInfo(
        "counter", "Connections and requests beyond the most at once.", ("port",)
    ),
    "sightline_connections_cut_total": MetricInfo(
        "counter",
        "Connections that were ended: their request took too long, was too long, or they gave way.",
        ("port", "cause"),
    ),
    "sightline_readers": MetricInfo("gauge", "Clients that watch a port of endless answers.", ("port",)),
    "sightline_readers_refused_total": MetricInfo(
        "counter", "Clients beyond the most that may watch a port at once.", ("port",)
    ),
    "sightline_readers_stalled_total": MetricInfo(
        "counter", "Clients that were cut off because they took nothing.", ("port",)
    ),
    "sightline_reader_waiting_bytes": MetricInfo("gauge", "What waits for clients to take it.", ("port",)),
    "sightline_reader_frames_dropped_total": MetricInfo(
        "counter", "Frames that slow clients lost, each the oldest of those that waited.", ("port",)
    ),
}
"""All figures by name. `port` is what is served there: `web`, `health`, `json`, `mjpeg`, `video`, `relay` or
`annotated`; `role` is that of the lease; `kind` is a kind of record, such as `trajectories`."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of this moment."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


class _Figures(Collector):
    """Gives figures to the library that writes them; of one that is given twice, the last counts."""

    def __init__(self, figures: Iterable[Figure]) -> None:
        self._values: dict[str, dict[tuple[str, ...], float]] = {}
        for figure in figures:
            labels = tuple(str(figure.labels[name]) for name in METRICS[figure.name].labels)
            self._values.setdefault(figure.name, {})[labels] = figure.value

    def collect(self) -> Iterator[Metric]:
        for name, values in self._values.items():
            family = _family(name)
            for labels, value in values.items():
                family.add_metric(labels, value)
            yield family


def _family(name: str) -> GaugeMetricFamily | CounterMetricFamily:
    info = METRICS[name]
    make = CounterMetricFamily if info.kind == "counter" else GaugeMetricFamily
    return make(name, info.help, labels=info.labels)


def metrics_text(figures: Iterable[Figure]) -> bytes:
    """Give figures in Prometheus' text format; KeyError for one that the table does not know."""
    registry = CollectorRegistry()
    registry.register(_Figures(figures))
    return generate_latest(registry)
