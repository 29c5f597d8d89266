"""What the analysis of cameras costs, and by which engine a model is computed: pure words."""

from dataclasses import dataclass, replace

from services.core.model_classes import class_name_from, classes_of_model
from services.core.sentences.sentence import sentence

REASONS = {
    why.code: why.text
    for why in (
        sentence("engine-only"),
        sentence("engine-fastest"),
        sentence("engine-reference"),
        sentence("trial-right"),
        sentence("trial-reference"),
        sentence("trial-differs"),
        sentence("trial-not-installed"),
        sentence("trial-no-gpu"),
    )
}
"""Why an engine was chosen, and what became of one that was tried, by code."""

MOST_TRIALS = 8
LARGEST_NUMBER = 1e12
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
        words += [word for trial in self.tried for word in (trial.engine, trial.code)]
        are_short = len(self.tried) <= MOST_TRIALS and all(len(word) <= LONGEST_WORD for word in words)
        return are_short and all(_is_number(trial.ms) and _is_number(trial.cpu_ms) for trial in self.tried)


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
