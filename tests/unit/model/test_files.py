"""Model files are whole or not there, and a full disk is told in one line."""

import errno
import os
from pathlib import Path

import pytest

from model.files import replacing
from services.core.errors import BadInputError


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_text("former")
    with (
        pytest.raises(BadInputError, match=r"a\.onnx cannot be written: No space left"),
        replacing(path) as draft,
    ):
        draft.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.onnx", "former")]
