"""The image for GPUs is the detector's with another engine: all its other stages are the same."""

import re
from pathlib import Path

DOCKER = Path(__file__).resolve().parents[2] / "docker"
TOLD_APART = re.compile(r'image\.(title|description|licenses)="[^"]*"')


def stages_of(text: str) -> dict[str, str]:
    """What each stage of a Dockerfile does, by its name; comments and what labels tell left out."""
    lines = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    parts = re.split(r"^FROM (\S+) AS (\S+)\n", lines, flags=re.MULTILINE)[1:]
    return {
        name: f"FROM {base}\n{TOLD_APART.sub('', does).strip()}"
        for base, name, does in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def different(core: str, gpu: str) -> list[str]:
    """Names of the stages in which the image for GPUs is not the detector's."""
    ours, others = stages_of(gpu), stages_of(core)
    assert ours.keys() == {"program", "common", "pictures", "inference", "detector-gpu"}
    return [name for name, stage in ours.items() if stage != others[name.removesuffix("-gpu")]]


def test_only_the_engine_is_another() -> None:
    core, gpu = ((DOCKER / f"{name}.Dockerfile").read_text(encoding="utf-8") for name in ("core", "gpu"))
    assert different(core, gpu) == ["inference"]
    changed = gpu.replace("EXPOSE 8070 8090", "EXPOSE 8070").replace("tini \\\n", "\\\n")
    assert different(core, changed) == ["common", "inference", "detector-gpu"]
