import subprocess
import sys
from pathlib import Path

import onnxruntime as ort
import pytest

from services.core.errors import BadInputError
from services.detector.infer.models import WEIGHTS, read_info
from services.detector.infer.onnx_metadata import read_metadata

WITHOUT = {
    "store": ("av", "cv2", "google.protobuf", "numpy", "onnx", "onnxruntime", "openvino", "scipy"),
    "web": ("onnx", "onnxruntime", "openvino", "scipy"),
    "ingest": ("google.protobuf", "onnx", "onnxruntime", "openvino", "scipy"),
    "rtsp": ("google.protobuf", "onnx", "onnxruntime", "openvino", "scipy"),
}
"""What the image of a service does not have."""


@pytest.mark.parametrize("path", sorted(WEIGHTS.glob("*.onnx")), ids=lambda path: path.stem)
def test_metadata_is_what_the_engine_reads(path: Path):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert read_metadata(path) == session.get_modelmeta().custom_metadata_map != {}


@pytest.mark.parametrize(
    "content",
    [b"no model at all", b"\x3a\xff\xff\xff\x7f", b"\x3a\xff", b"\x08", b"\x72\x04\x0a\x02\xff\xfe", b""],
    ids=repr,
)
def test_other_files_are_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=r"other\.onnx"):
        read_info(path)


def test_a_model_that_is_cut_off_is_refused(tmp_path: Path):
    path = tmp_path / "cut.onnx"
    path.write_bytes(next(WEIGHTS.glob("*.onnx")).read_bytes()[:-20])
    with pytest.raises(BadInputError, match=r"cut\.onnx is no ONNX model: .* cut off"):
        read_info(path)


@pytest.mark.parametrize("service", WITHOUT)
def test_service_starts_without_what_its_image_lacks(service: str):
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({WITHOUT[service]!r})); "
        f"import services.cli.serve.command, services.cli.serve.{service}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
