"""`sightline quantize`: the int8 form of a model, for people's own models and machines."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.console import check_outputs, output, progress
from services.cli.model_commands import load_module
from services.core.errors import BadInputError
from services.detector.infer.catalogue import QUANTIZED_SUFFIX
from services.detector.infer.engines import OnnxRuntimeDetector
from services.detector.infer.models import SUFFIX, model_path


def quantize(
    model: Annotated[str, typer.Argument(help="traffic, mask, a shipped model or an .onnx file.")],
    model_file: Annotated[Path, typer.Argument(metavar="OUTPUT", help="The .onnx file to write.")],
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            help="A folder of labelled pictures in YOLO form, may be repeated; its training part is used.",
        ),
    ],
    pictures: Annotated[int, typer.Option(min=1, max=2000, help="How many to calibrate on.")] = 64,
    seed: Annotated[int, typer.Option(help="Seed of the choice of pictures.")] = 0,
) -> None:
    """Write a model in int8: a quarter of the size, sometimes faster, and its counts have to be looked at."""
    path = model_path(model)
    if model_file.suffix != SUFFIX:
        raise BadInputError(f"{model_file}: the name of a model ends in {SUFFIX}")
    check_outputs((model_file,), (path,))
    OnnxRuntimeDetector(path)  # BadInputError where it is none
    quantizing = load_module("export.quantizing")
    with progress(f"calibrating {path.stem}", pictures) as advance:
        quantizing.quantize(path, model_file, data, pictures, seed, advance)
    output.print(f"{model_file}", soft_wrap=True)
    output.print(
        f"Count a clip with it and with {model} before you use it. As {path.stem}{QUANTIZED_SUFFIX} beside "
        "the model, or in the folder `engines` of the data folder, it is one of the engines that "
        f"`sightline bench engines --model {model}` compares.",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )
