"""The gate of `tests/conftest.py`, tried in a pytest run of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]

ALLOWED = 'import pytest\ndef test_a():\n    pytest.skip("labelled data absent: somewhere")\n'
UNKNOWN = 'import pytest\ndef test_b():\n    pytest.skip("it was raining")\n'
FILE = 'import pytest\npytest.skip("no moon", allow_module_level=True)\n'
EXPECTED = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_c():\n    assert False\n"


def _run(folder: Path, code: str) -> tuple[int, str]:
    shutil.copy(TESTS / "conftest.py", folder)
    shutil.copy(TESTS / "allowed_skips.txt", folder)
    (folder / "test_it.py").write_text(code, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        str(folder),
    ]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return result.returncode, result.stdout


def test_a_listed_reason_is_counted_and_shown(tmp_path: Path) -> None:
    code, output = _run(tmp_path, ALLOWED)
    assert code == 0
    assert "   1  labelled data absent: somewhere" in output
    assert "1 skipped, each for a reason on the list" in output


def test_any_other_reason_fails(tmp_path: Path) -> None:
    code, output = _run(tmp_path, UNKNOWN)
    assert code == 1
    assert "allowed_skips.txt does not list: it was raining" in output
    assert "1 failed" in output.splitlines()[-1]


def test_a_skipped_file_fails_too(tmp_path: Path) -> None:
    code, output = _run(tmp_path, FILE)
    assert code != 0
    assert "no moon" in output


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    code, output = _run(tmp_path, EXPECTED)
    assert code == 0
    assert "0 skipped" in output
