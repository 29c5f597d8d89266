"""Ultralytics' command `yolo` with GB-YOLO's definitions: `yolo train model=gbyolo-n.yaml data=data.yaml`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from model.zoo.ultralytics.plugin import DEFINITIONS

# isort: split

from ultralytics.cfg import entrypoint


def with_definitions(words: Sequence[str]) -> list[str]:
    """The words of a command, where `model=gbyolo-n.yaml` names our file unless there is one of that name."""
    shipped = {f"model={path.name}": f"model={path}" for path in DEFINITIONS.glob("*.yaml")}
    return [
        shipped[word] if word in shipped and not Path(word.removeprefix("model=")).exists() else word
        for word in words
    ]


def main() -> None:
    """Run the command line as Ultralytics does."""
    sys.argv[1:] = with_definitions(sys.argv[1:])
    entrypoint()


if __name__ == "__main__":
    main()
