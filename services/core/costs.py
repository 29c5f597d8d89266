"""What the analysis of cameras costs, and by which engine a model is computed: pure words."""

from dataclasses import dataclass, replace
from typing import Literal

from services.core.model_classes import class_name_from, classes_of_model
from services.core.sentences.sentence import sentence

EngineName = Literal[
    "auto",
    "onnxruntime-cpu",
    "onnxruntime-cpu-int8",
    "onnxruntime-cuda",
    "onnxruntime-tensorrt",
    "openvino-cpu",
    "openvino-cpu-bf16",
    "openvino-cpu-int8",
]
"""What the setting `engine` may name: one engine for all models, or the fastest of each."""

REASONS = {
    why.code: why.text
    for why in (
        sentence("engine-only"),
        sentence("engine-fastest"),
        sentence("engine-reference"),
        sentence("engine-forced"),
        sentence("engine-forced-unusable"),
        sentence("trial-right"),
        sentence("trial-reference"),
        sentence("trial-differs"),
        sentence("trial-unable"),
        sentence("trial-not-installed"),
        sentence("trial-no-gpu"),
        sentence("trial-no-tensorrt"),
        sentence("trial-no-bfloat"),
    )
}
"""Why an engine was chosen, and what became of one that was tried, by code."""

MOST_TRIALS = 8
LARGEST_NUMBER = 1e12
LATEST_S = 7.2e9
"""A time of another process that is no time: in the year 2198."""

MOST_REPORTED_BYTES = 6000
"""Of all classes of a model, which are reported every few seconds for each camera: some hundred of them."""

LONGEST_WORD = 200
"""Characters of a name or a code, in whatever one process reports to another."""


@dataclass(frozen=True, slots=True)
class EngineTrial:
    """One engine that was measured for a model, or could not be."""

    engine: str
    ms: float | None
    """Median time of one picture on this machine; None where it was not measured."""
    passed: bool
    """Whether it computes the same as the reference, which passes itself."""
    code: str
    cpu_ms: float | None = None
    """Median processor time of one picture, which other work on the machine changes little."""
    precision: str = ""
    """In which numbers it computes: fp32, bf16 or int8; empty where an older release reports it."""
    difference: float | None = None
    """By how much a score differs from the reference's at most; None where it was not compared."""
    overlap: float | None = None
    """The least overlap of a detection with the reference's; None where it was not compared."""

    @property
    def reason(self) -> str:
        """What became of it; a later release's code stands for itself."""
        return REASONS.get(self.code, self.code)


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine that computes a model on one machine, and why."""

    model: str
    chosen: str
    code: str
    tried: tuple[EngineTrial, ...] = ()
    measured_s: float | None = None
    """When it was measured; None where it was not, or an older release reports it."""
    is_remembered: bool = False
    """Whether an earlier process measured it, on this machine and with the same libraries."""

    @property
    def reason(self) -> str:
        """Why; a later release's code stands for itself."""
        return REASONS.get(self.code, self.code)

    @property
    def cpu_ms(self) -> float | None:
        """Processor time of one picture in the chosen engine as it was measured; None where it was not."""
        return next((trial.cpu_ms for trial in self.tried if trial.engine == self.chosen), None)

    @property
    def is_bounded(self) -> bool:
        """Return whether it is no larger than a choice of ours can be."""
        words = [self.model, self.chosen, self.code]
        words += [word for trial in self.tried for word in (trial.engine, trial.code, trial.precision)]
        are_short = len(self.tried) <= MOST_TRIALS and all(len(word) <= LONGEST_WORD for word in words)
        is_dated = self.measured_s is None or 0 <= self.measured_s <= LATEST_S
        numbers: list[float | None] = []
        for trial in self.tried:
            numbers += [trial.ms, trial.cpu_ms, trial.difference, trial.overlap]
        return are_short and is_dated and all(map(_is_number, numbers))


@dataclass(frozen=True, slots=True)
class AnalysisCost:
    """What the analysis of one camera has cost over the last seconds."""

    engine: EngineChoice
    ms_per_frame: float | None
    """From a picture that is decoded to its crossings; None while none was analysed."""
    frames_per_s: float
    """Pictures that were analysed each second."""
    cores: float
    """Share of a processor core, decoding included."""
    dropped: int
    """Pictures that the analysis was too slow for, since it began."""
    received_fps: float
    """Pictures that came each second."""
    delay_ms: float | None
    """From the capture of a picture to the end of its analysis; None while none was analysed."""
    model: str = ""
    """The model as the camera's settings name it; an older release names none."""
    classes: tuple[str, ...] = ()
    """What that model finds, where it does not ship: who does not see its file learns it so."""

    def with_classes(self, model: str, classes: tuple[str, ...]) -> "AnalysisCost":
        """Give the same with what its model finds, unless everybody knows it, or it is too much."""
        is_known = classes_of_model(model) is not None
        return replace(self, model=model, classes=() if is_known or not _are_short(classes) else classes)

    @property
    def is_bounded(self) -> bool:
        """Return whether it can be one of ours; another process may report anything."""
        numbers = (self.frames_per_s, self.cores, self.dropped, self.received_fps)
        are_named = len(self.model) <= LONGEST_WORD and _are_short(self.classes)
        is_one = self.engine.is_bounded and are_named and all(map(class_name_from, self.classes))
        return is_one and all(map(_is_number, (*numbers, self.ms_per_frame, self.delay_ms)))


def _are_short(classes: tuple[str, ...]) -> bool:
    return sum(len(name.encode("utf-8", "surrogatepass")) for name in classes) <= MOST_REPORTED_BYTES


def _is_number(value: float | None) -> bool:
    return value is None or 0 <= value <= LARGEST_NUMBER
