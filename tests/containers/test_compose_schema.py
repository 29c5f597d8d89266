"""docker-compose.yml against the official schema of compose files."""

import json
import subprocess
import sys
from pathlib import Path

from tests.processes import REPOSITORY

COMPOSE_FILE = REPOSITORY / "docker-compose.yml"
BROKEN = {
    # What: the text that is found, and what is put in its place.
    "unknown key": ("mem_limit: 2g", "memory_limit: 2g"),
    "wrong type": ('restart: "no"', "restart: [never]"),
    "unknown condition": ("service_healthy", "service_is_healthy"),
    "no duration": ("interval: 10s", "interval: [10]"),
    "bad port": (
        '"${SIGHTLINE_BIND:-0.0.0.0}:${SIGHTLINE_WEB_PORT:-8080}:8080"',
        "{published: 8080, aim: 8080}",
    ),
    "unknown section": ("\nvolumes:", "\nvolume:"),
}


def _invalid(files: list[Path]) -> set[str]:
    """The names of those files that the schema refuses, asked for all at once."""
    program = Path(sys.executable).with_name("check-jsonschema")
    options = ["--builtin-schema", "vendor.compose-spec", "--output-format", "json"]
    result = subprocess.run([program, *options, *files], capture_output=True, text=True, timeout=60)
    answer = json.loads(result.stdout)
    assert not answer["parse_errors"]
    return {Path(error["filename"]).stem for error in answer["errors"]}


def test_the_compose_file_is_valid_and_each_break_is_found(tmp_path: Path) -> None:
    text = COMPOSE_FILE.read_text(encoding="utf-8")
    broken = []
    for name, (find, put) in BROKEN.items():
        assert find in text, name
        broken.append(tmp_path / f"{name}.yml")
        broken[-1].write_text(text.replace(find, put), encoding="utf-8")
    assert _invalid([COMPOSE_FILE, *broken]) == set(BROKEN)
