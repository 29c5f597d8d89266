import platform
from pathlib import Path

from services.cli.host import processor_name


def test_the_processor_is_named_by_its_model(tmp_path: Path) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\nmodel name\t: Some Chip 9000\nprocessor\t: 1\nmodel name\t: Other\n")
    assert processor_name(told) == "Some Chip 9000"


def test_else_by_its_architecture(tmp_path: Path) -> None:
    assert processor_name(tmp_path / "absent") == platform.machine()
