"""The detector service: analyses the cameras that it owns, each in a thread of its own."""

import asyncio

from services.common.bus.protocol import EventQueue, StateBoard, TrackFeed
from services.common.clocks import HOST_CLOCKS, Clocks
from services.common.live.analysed import AnalysedPictures
from services.common.video.hub import VideoSource
from services.core.evidence.passes import Passes
from services.core.types import CameraId, OwnedCamera
from services.detector.camera_analysis import (
    STOP_TIMEOUT_S,
    CameraAnalysis,
    ChoiceOf,
    DetectorFactory,
    LiveEdge,
    unmeasured,
)
from services.detector.second_opinion import ClassifierFactory


class DetectorService:
    """Analyses the cameras that it owns, those of them that are enabled. Implements `Owner`."""

    def __init__(
        self,
        events: EventQueue,
        tracks: TrackFeed,
        states: StateBoard,
        video: VideoSource,
        make_detector: DetectorFactory,
        clocks: Clocks = HOST_CLOCKS,
        stop_timeout_s: float = STOP_TIMEOUT_S,
        choice_of: ChoiceOf = unmeasured,
        decoded: AnalysedPictures | None = None,
        make_classifier: ClassifierFactory | None = None,
    ) -> None:
        """`decoded` is where whoever shows cameras in this process finds what is decoded here.

        `make_classifier` makes who gives second opinions on masks; without it nobody does.
        """
        self._events, self._tracks, self._states = events, tracks, states
        self._video, self._make_detector = video, make_detector
        self._clocks, self._stop_timeout_s, self._choice_of = clocks, stop_timeout_s, choice_of
        self._decoded = decoded or AnalysedPictures()
        self._make_classifier = make_classifier
        self._running: dict[CameraId, CameraAnalysis] = {}
        self._edges: dict[CameraId, LiveEdge] = {}

    async def take(self, camera: OwnedCamera) -> None:
        """Begin to analyse, or go on with changed lines; what else is changed begins anew."""
        await asyncio.to_thread(self._take, camera)

    async def drop(self, camera: CameraId) -> None:
        """End the analysis and close its tracks; one that does not end in time publishes nothing more."""
        self._edges.pop(camera, None)
        await asyncio.to_thread(self._stop, camera)

    def _take(self, owned: OwnedCamera) -> None:
        key = owned.setup.camera.id
        running = self._running.get(key)
        if running is not None and owned.setup.camera.enabled and _is_same_work(running.owned, owned):
            running.owned = owned
            return
        self._stop(key)
        if owned.setup.camera.enabled:
            analysis = CameraAnalysis(
                owned,
                self._events,
                self._tracks,
                self._states,
                self._video,
                self._make_detector,
                self._edge_of(key, owned.epoch),
                self._clocks,
                self._choice_of,
                self._decoded,
                self._make_classifier,
            )
            self._running[key] = analysis
            analysis.start()

    def _edge_of(self, camera: CameraId, epoch: int) -> LiveEdge:
        """Give the edge of this epoch, also when an analysis under it has ended before."""
        edge = self._edges.get(camera)
        if edge is None or edge.epoch != epoch:
            edge = self._edges[camera] = LiveEdge(epoch, Passes(camera, epoch))
        return edge

    def _stop(self, camera: CameraId) -> None:
        analysis = self._running.pop(camera, None)
        if analysis is not None:
            analysis.stop(self._stop_timeout_s)
            self._decoded.forget(camera)
            self._states.withdraw_rate(camera)


def _is_same_work(old: OwnedCamera, new: OwnedCamera) -> bool:
    before, after = old.setup.camera, new.setup.camera
    settings = (before.model, before.fps, before.verify, before.tiles)
    return settings == (after.model, after.fps, after.verify, after.tiles) and old.epoch == new.epoch
