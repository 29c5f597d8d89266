"""What the machine says of itself."""

import platform
from pathlib import Path

PROCESSORS = Path("/proc/cpuinfo")


def processor_name(processors: Path = PROCESSORS) -> str:
    """Give the name of the processor's model; its architecture where the system does not say."""
    try:
        lines = processors.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
