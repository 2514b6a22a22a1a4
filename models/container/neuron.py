"""model.onnx -> model.neuron-<rows>.pt and a copy of it: the same model compiled for AWS Inferentia (inf2), Trainium.

    python -m models.container.neuron --model model.onnx --out DIR [--rows 128]

Neuron has no operator for trees, so they are compiled in tensor form (models/container/tensors.py), for batches of
exactly --rows rows; `serve` fills up what is shorter. Needs the Neuron SDK, which is not on PyPI: exit 2 without.
"""

import argparse
import importlib.util
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray

from cuatro.errors import ModelMismatch
from models.container.tensors import Tensors, UnsupportedModelError, margins, tensors

COMPILED = "model.neuron-{rows}.pt"
NEEDED = ("torch", "torch_neuronx")
ABSENT = """\
{missing} is not installed: compiling for Inferentia needs AWS's Neuron SDK (torch-neuronx and its compiler).
It is not on PyPI (what has its name there is a placeholder) and runs on Linux x86-64. Run the command where it is:
  in AWS's deep learning container pytorch-inference-neuronx, on any such machine with Docker, or
  on an inf2 or trn1 instance with AWS's Neuron AMI, after source /opt/aws_neuronx_venv_pytorch_*/bin/activate

  pip install onnx onnxruntime msgspec
  PYTHONPATH=.:layers/core/python python -m models.container.neuron --model {model} --out {out} --rows {rows}"""


def missing() -> list[str]:
    """Which of the needed packages are not installed."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def compile_for_neuron(made: Tensors, rows: int, target: Path) -> None:
    """Trace the tensor form with batches of `rows` rows, and save what the Neuron runtime loads."""
    import torch  # type: ignore[import-not-found]  # noqa: PLC0415 - the Neuron SDK's, see ABSENT
    import torch_neuronx  # type: ignore[import-not-found]  # noqa: PLC0415

    class Module(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            for name, value in zip("abcdeg", astuple(made), strict=True):
                self.register_buffer(name, torch.as_tensor(np.asarray(value, np.float32)))

        def forward(self, x: Any) -> Any:
            fraud = torch.sigmoid(margins(x, self.a, self.b, self.c, self.d, self.e, self.g))
            return torch.stack([1 - fraud, fraud], dim=1)

    example = torch.zeros(rows, made.a.shape[0])
    # The compiler would round to 16 bits by itself: thresholds on amounts need all 32.
    compiled = torch_neuronx.trace(Module().eval(), example, compiler_args=["--auto-cast", "none"])
    torch.jit.save(compiled, str(target))


def scorer(path: Path) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """What serves a compiled model: float32 [any rows, features] -> float32 [rows]. Raises ModelMismatch."""
    if absent := missing():
        raise ModelMismatch(
            f"{path.name} is compiled for Inferentia, and {' and '.join(absent)} (AWS's Neuron SDK) is not "
            "here: serve it from an image that has it, or leave the file out of the archive"
        )
    import torch  # noqa: PLC0415
    import torch_neuronx  # noqa: F401, PLC0415 - registers what the file holds

    module, batch = torch.jit.load(str(path)), int(path.stem.rpartition("-")[2])

    def score(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        scores = np.empty(len(matrix), np.float32)
        for start in range(0, len(matrix), batch):
            part = matrix[start : start + batch]
            filled = np.zeros((batch, matrix.shape[1]), np.float32)
            filled[: len(part)] = part
            scores[start : start + batch] = module(torch.from_numpy(filled))[: len(part), 1].numpy()
        return scores

    return score


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 compiled, 1 not a model that can be compiled, 2 the Neuron SDK is absent."""
    parser = argparse.ArgumentParser(prog="python -m models.container.neuron", description=str(__doc__).split("\n")[0])
    parser.add_argument("--model", type=Path, required=True, metavar="model.onnx")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--rows", type=int, default=128, help="rows of a batch, fixed when it is compiled")
    given = parser.parse_args(arguments)
    try:
        made = tensors(onnx.load_model_from_string(given.model.read_bytes()))
    except (OSError, DecodeError, UnsupportedModelError) as error:
        print(f"{given.model} cannot be compiled: {error}", file=sys.stderr)  # noqa: T201 - the command's answer
        return 1
    if absent := missing():
        told = ABSENT.format(missing=" and ".join(absent), model=given.model, out=given.out, rows=given.rows)
        print(told, file=sys.stderr)  # noqa: T201
        return 2
    given.out.mkdir(parents=True, exist_ok=True)
    target = given.out / COMPILED.format(rows=given.rows)
    compile_for_neuron(made, given.rows, target)
    shutil.copyfile(given.model, given.out / "model.onnx")
    print(target)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
