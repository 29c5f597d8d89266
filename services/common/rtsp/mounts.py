"""The streams of an RTSP server by name: added, removed and begun anew while it runs."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.common.rtsp.client import RtspClient
from services.common.rtsp.gstreamer import GStreamer
from services.common.rtsp.output import RtspOutput

EARLIER_NS = 3_600_000_000_000
"""More than any picture can be early."""


class Feed(Protocol):
    """Fills one pipeline from its own thread or task."""

    def stop(self) -> None:
        """End, without waiting for it. Called from any thread."""


@dataclass(frozen=True)
class RtspStream:
    """What is served under a name."""

    pipeline: Callable[[], str]
    """Gives GStreamer's launch line when a client asks; its source is `appsrc name=src` and its payloader
    `pay0`."""
    begin: Callable[[RtspOutput], Feed]
    """Begins to fill a pipeline. Called from any thread; may not block."""
    is_shared: bool = True
    """Whether all clients watch one pipeline; else each has its own."""
    waiting_limit: int = 150
    """Pictures that may wait within a pipeline; what comes beyond is refused, and counted by the feed."""


@dataclass(eq=False)
class Mount:
    """A stream as it is served now; it is replaced when its clients have to connect again."""

    name: str
    stream: RtspStream
    factory: Any = None
    clients: set[RtspClient] = field(default_factory=set)
    outputs: set[RtspOutput] = field(default_factory=set)


class RtspMounts:
    """Serves each stream at `/<name>`, and one of them at the bare address too. Callable from any thread."""

    def __init__(self, gstreamer: GStreamer, points: Any) -> None:
        self._gstreamer, self._points = gstreamer, points
        self._lock = threading.Condition(threading.RLock())
        self._filled = 0
        self._mounts: dict[str, Mount] = {}
        self._default: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What is served now."""
        with self._lock:
            return tuple(self._mounts)

    def add(self, name: str, stream: RtspStream) -> None:
        """Serve a stream under a name, in place of what was there before."""
        with self._lock:
            before = self._remove(name)
            self._add(Mount(name, stream))
        self._end(before)

    def remove(self, name: str) -> None:
        """Serve a stream no more, and end its clients."""
        with self._lock:
            before = self._remove(name)
        self._end(before)

    def set_default(self, name: str | None) -> None:
        """Choose what the bare address shows; clients that watch it go on."""
        with self._lock:
            if name == self._default:
                return
            if self._default in self._mounts:
                self._points.remove_factory("/")
            self._default = name
            mount = self._mounts.get(name) if name is not None else None
            if mount is not None:
                self._points.add_factory("/", mount.factory)

    def wait_until_empty(self, timeout_s: float) -> bool:
        """Wait until the last pipeline has ended; False when the time did not suffice."""
        with self._lock:
            return self._lock.wait_for(lambda: self._filled == 0, timeout_s)

    def watch(self, path: str, client: RtspClient) -> None:
        """Note that a client is about to watch what a path means."""
        with self._lock:
            mount = self._find(path)
            if mount is not None:
                mount.clients.add(client)

    def ask_for_keyframe(self, path: str) -> None:
        """Let the feeds of a path know that somebody begins to watch."""
        with self._lock:
            mount = self._find(path)
            outputs = list(mount.outputs) if mount is not None else []
        for output in outputs:
            output.ask_for_keyframe()

    def forget(self, client: RtspClient) -> None:
        """Note that a client is gone."""
        with self._lock:
            for mount in self._mounts.values():
                mount.clients.discard(client)

    def _find(self, path: str) -> Mount | None:
        """Give what a path means: a stream, one of its parts (`/name/stream=0`), or the bare address."""
        first = path.strip("/").partition("/")[0]
        name = first if first and "=" not in first else self._default
        return self._mounts.get(name) if name is not None else None

    def _paths(self, name: str) -> list[str]:
        return [f"/{name}", "/"] if name == self._default else [f"/{name}"]

    def _add(self, mount: Mount) -> None:
        mount.factory = self._make_factory(mount)
        self._mounts[mount.name] = mount
        for path in self._paths(mount.name):
            self._points.add_factory(path, mount.factory)

    def _remove(self, name: str) -> Mount | None:
        mount = self._mounts.pop(name, None)
        if mount is not None:
            for path in self._paths(name):
                self._points.remove_factory(path)
        return mount

    def _renew(self, mount: Mount) -> None:
        """End a mount's clients; whoever connects from now on begins anew."""
        with self._lock:
            if self._mounts.get(mount.name) is not mount:
                return
            self._remove(mount.name)
            self._add(Mount(mount.name, mount.stream))
        self._end(mount)

    def _end(self, mount: Mount | None) -> None:
        """End the clients of a mount that is served no more, those first that wait for a picture."""
        if mount is None:
            return
        with self._lock:
            outputs, clients = list(mount.outputs), list(mount.clients)
            mount.clients.clear()
        for output in outputs:
            output.fail()
        for client in clients:
            client.close()

    def _make_factory(self, mount: Mount) -> Any:
        """Make what builds a pipeline when the first client comes."""
        libraries = self._gstreamer

        class Factory(libraries.server.RTSPMediaFactory):  # type: ignore[name-defined,misc]  # no types
            """Has one key, so that the bare address and any query share the pipeline."""

            def do_gen_key(self, _url: Any) -> str:
                return mount.name

            def do_create_element(self, _url: Any) -> Any:
                return libraries.gst.parse_launch(mount.stream.pipeline())

        factory = Factory()
        factory.set_shared(mount.stream.is_shared)
        factory.set_latency(0)
        factory.set_protocols(libraries.rtsp.RTSPLowerTrans.UDP | libraries.rtsp.RTSPLowerTrans.TCP)
        factory.connect("media-configure", lambda _, media: self._on_media(mount, media))
        return factory

    def _on_media(self, mount: Mount, media: Any) -> None:
        """Begin to fill a pipeline that a client has asked for."""
        element = media.get_element()
        element.get_parent().connect("deep-element-added", _send_at_once)
        source = element.get_by_name_recurse_up("src")
        output = RtspOutput(self._gstreamer, source, mount.stream.waiting_limit, lambda: self._renew(mount))
        with self._lock:
            is_current = self._mounts.get(mount.name) is mount
            mount.outputs.add(output)
            self._filled += 1
        feed = mount.stream.begin(output) if is_current else None

        def on_end(_media: Any) -> None:
            if feed is not None:
                feed.stop()
            with self._lock:
                mount.outputs.discard(output)
                self._filled -= 1
                self._lock.notify_all()

        media.connect("unprepared", on_end)
        if feed is None:
            output.fail()


def _send_at_once(_pipeline: Any, _bin: Any, element: Any) -> None:
    """Have pictures sent as they come: by their time stamps, kept ones would only come when they are due."""
    if element.find_property("ts-offset") is not None:
        element.set_property("ts-offset", -EARLIER_NS)
