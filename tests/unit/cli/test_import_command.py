"""`sightline import-model`: what it says, what it refuses, and how a checkpoint is kept from doing harm."""

import io
import itertools
import sys
import time
import zipfile
from pathlib import Path

import pytest

from model.importing import checkpoint
from services.cli import import_command
from services.core.errors import BadInputError
from services.detector.infer.models import read_info
from tests.foreign_models import CLASSES, write_model, yolov8


def run(*arguments: object, **options: object) -> None:
    """Call the command with the defaults of its options."""
    defaults: dict[str, object] = {
        "model_file": None,
        "classes": None,
        "names": None,
        "size": None,
        "confidence": 0.25,
        "picture": None,
        "normalize": None,
        "bgr": None,
        "boxes": None,
        "first_label": None,
        "trust": False,
    }
    import_command.import_model_command(*arguments, **{**defaults, **options})  # type: ignore[arg-type]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_model(tmp_path / "site.onnx", yolov8().outputs)


NAMES = {
    "lines.txt": "helmet\nhead\n\nvest\n",
    "list.yaml": "names: [helmet, head, vest]\n",
    "data.yaml": "path: .\nnames:\n  1: head\n  0: helmet\n  2: vest\n",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_come_from_a_file(source: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = source.with_name(name)
    names.write_text(NAMES[name])
    run(source, names=names)
    output = source.with_name("site-sightline.onnx")
    assert read_info(output).classes == CLASSES
    said = capsys.readouterr().out
    assert "YOLO without objectness" in said
    assert "96x64" in said


WRONG = {
    "no file": ({"source": "absent.onnx"}, "there is no file"),
    "another kind": ({"source": "site.tflite"}, "give an .onnx file or an Ultralytics checkpoint"),
    "a size": ({"size": "wide"}, "as 640x384"),
    "a confidence": ({"confidence": 2.0}, "between 0 and 1"),
    "both": ({"classes": "a,b,c", "names": Path("x")}, "either --classes or --names"),
    "twice": ({"classes": "a,b,a"}, "'a' comes twice"),
    "a long name": ({"classes": f"a,b,{'x' * 61}"}, "at most 60 characters"),
    "a line in a name": ({"classes": "a,b,c\nd"}, "is no name"),
    "no text": ({"names": Path("absent.txt")}, "cannot be read as names"),
    "itself": ({"model_file": "site.onnx"}, "is what is read"),
}


@pytest.mark.parametrize(("options", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_said_in_a_line(source: Path, options: dict, words: str) -> None:
    options = dict(options)
    given = source.with_name(options.pop("source", source.name))
    if given.suffix == ".tflite":
        given.write_bytes(b"x")
    if "model_file" in options:
        options["model_file"] = source.with_name(options["model_file"])
    with pytest.raises(BadInputError, match=words):
        run(given, **options)


HOSTILE_NAMES = {
    "a date that is none": "names: 2024-13-45\n",
    "lists of lists without end": "names: [&a [x, x], &b [*a, *a], &c [*b, *b], &d [*c, *c]]\n",
}


@pytest.mark.parametrize("text", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_names_that_are_no_texts_are_refused_in_a_line(source: Path, text: str) -> None:
    for letter, before in itertools.pairwise("defghijklmnopqrstuvwxyz"):
        text = text.replace("]]", f"], &{before} [*{letter}, *{letter}]]")
    names = source.with_name("data.yaml")
    names.write_text(text)
    with pytest.raises(BadInputError, match="name"):
        run(source, names=names)


def test_a_model_that_is_there_stays_where_the_next_one_is_refused(source: Path) -> None:
    run(source, classes="helmet,head,vest")
    output = source.with_name("site-sightline.onnx")
    before = output.read_bytes()
    with pytest.raises(BadInputError, match="is in no layout"):
        run(source, classes="helmet")
    assert output.read_bytes() == before
    assert sorted(path.name for path in source.parent.iterdir()) == ["site-sightline.onnx", "site.onnx"]


def test_a_damaged_checkpoint_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "theirs.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(range(256)) * 40)
    data = bytearray(path.read_bytes())
    data[60:90] = b"\xff" * 30
    path.write_bytes(data)
    assert not checkpoint.is_own(path)


def pickled(path: Path, words: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", words)
    return path


def test_a_checkpoint_is_loaded_only_after_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = pickled(tmp_path / "theirs.pt", b"ultralytics.nn.tasks")
    if not checkpoint.ENVIRONMENT.exists():
        with pytest.raises(BadInputError, match=r"scripts/setup\.sh --ultralytics"):
            run(theirs)
    environment = tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setattr(checkpoint, "check_checkpoint", lambda path: None)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(BadInputError, match=r"can run code on this machine.*Give --trust"):
        run(theirs)
    ours = pickled(tmp_path / "ours.pt", b"format description progress averaged")
    monkeypatch.undo()
    with pytest.raises(BadInputError, match="sightline export"):
        checkpoint.check_checkpoint(ours, environment)
    checkpoint.check_checkpoint(theirs, environment)


HARM = """#!/bin/sh
env | cut -d= -f1 | sort | tr '\\n' ' ' > "$HOME/../seen"
echo >> "$HOME/../seen"
cat /proc/net/dev | wc -l >> "$HOME/../seen"
pwd >> "$HOME/../seen"
echo 'it is no checkpoint' >&2
"""


def program(folder: Path, text: str) -> Path:
    """An environment whose Python is a program of ours."""
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(text)
    python.chmod(0o700)
    return folder


def test_the_process_gets_no_environment_and_an_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_SECRET", "x")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    environment = program(tmp_path / "environment", HARM)
    given = pickled(tmp_path / "theirs.pt", b"x")
    with (
        pytest.raises(BadInputError, match="gives no ONNX: it is no checkpoint"),
        checkpoint.exported(given, None, environment),
    ):
        pass
    names, devices, folder = (tmp_path / "seen").read_text().splitlines()
    wanted = {"HOME", "OMP_NUM_THREADS", "PATH", "TMPDIR", "YOLO_AUTOINSTALL", "YOLO_CONFIG_DIR"}
    assert wanted <= set(names.split()) <= {*wanted, "YOLO_OFFLINE", "PWD", "OLDPWD", "SHLVL", "_"}
    assert int(devices) == 3 or not checkpoint._without_network(), "two lines of a head, and lo"
    assert not Path(folder).exists()


def test_a_process_that_does_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    text = f"#!/bin/sh\nsleep 300 &\necho $! > {tmp_path}/child\nwait\n"
    environment = program(tmp_path / "environment", text)
    given = pickled(tmp_path / "theirs.pt", b"x")
    with (
        pytest.raises(BadInputError, match="not done after 1 s"),
        checkpoint.exported(given, None, environment, longest_s=1.0),
    ):
        pass
    child = int((tmp_path / "child").read_text())
    deadline_s = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline_s:
        if "Z" in Path(f"/proc/{child}/stat").read_text().split(")")[-1][:3]:
            return
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
