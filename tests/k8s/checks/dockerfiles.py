"""What a Dockerfile says of one of its targets."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Stage:
    """A stage of a build: what it starts from, and its instructions."""

    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)


def stages(dockerfile: Path) -> dict[str, Stage]:
    """The named stages of a Dockerfile."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found: dict[str, Stage] = {}
    stage = None
    for line in re.sub(r"\\\n", " ", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stage = found[name.strip()] = Stage(base.strip())
        elif word and stage is not None:
            stage.instructions.append((word, rest.strip()))
    return found


def last(known: dict[str, Stage], target: str, instruction: str) -> str | None:
    """The instruction of a kind that holds in a target: its own last one, or that of what it starts from."""
    while target in known:
        for word, rest in reversed(known[target].instructions):
            if word == instruction:
                return rest
        target = known[target].base
    return None


def health_command(known: dict[str, Stage], target: str) -> list[str]:
    """The command by which an engine asks for the health of a target's containers."""
    text = last(known, target, "HEALTHCHECK") or ""
    return [str(part) for part in json.loads(text[text.index("[") :])]
