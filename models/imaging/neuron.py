"""model.onnx -> model.neuron-1.pt and a copy of it: the same reader compiled for AWS Inferentia (inf2), Trainium.

    python -m models.imaging.neuron --model models/imaging/model.onnx --out models/imaging/neuron

The network is built anew from the file's own arrays, in torch, and compiled for one image (and its mirror image) at a
time. Needs the Neuron SDK, which is not on PyPI: exit 2 without. `serve` takes the compiled file where it is.
"""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import numpy_helper

from cuatro.errors import ModelMismatch
from functions.imaging.features import SIDE
from models.container.neuron import missing
from models.imaging.backbone import blocks

if TYPE_CHECKING:
    import torch  # type: ignore[import-not-found]

COMPILED = "model.neuron-1.pt"
ABSENT = """\
{missing} is not installed: compiling for Inferentia needs AWS's Neuron SDK (torch-neuronx and its compiler).
It is not on PyPI (what has its name there is a placeholder) and runs on Linux x86-64. Run the command where it is:
  in AWS's deep learning container pytorch-inference-neuronx, on any such machine with Docker, or
  on an inf2 or trn1 instance with AWS's Neuron AMI, after source /opt/aws_neuronx_venv_pytorch_*/bin/activate

  pip install onnx onnxruntime msgspec
  PYTHONPATH=.:layers/core/python python -m models.imaging.neuron --model {model} --out {out}"""

Array = NDArray[np.float32]


def arrays(model: onnx.ModelProto) -> dict[str, Array]:
    """Weights of every convolution, the head, the centre and the whitening, as float32. Raises ValueError."""
    kept = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    found: dict[str, Array] = {}
    try:
        for block in blocks():
            for conv in block.convs:
                name = f"{conv.name}.weight"
                if f"{name}.levels" in kept:
                    kept[name] = kept[f"{name}.levels"] * kept[f"{name}.scale"]
                found[name] = np.asarray(kept.get(name, kept.get(f"{name}.half")), np.float32)
                found[f"{conv.name}.bias"] = np.asarray(kept[f"{conv.name}.bias"], np.float32)
        for name in ("head.weight", "head.bias", "centre", "whitening"):
            found[name] = np.asarray(kept[name], np.float32)
    except KeyError as error:
        raise ValueError(f"it is no reader of radiographs of this suite: there is no {error}") from None
    return found


def module(weights: Mapping[str, Array]) -> "torch.nn.Module":
    """uint8 [1, 1, s, s] -> probability [1], distance [1], cam [1, h, w], as the ONNX file gives them."""
    import torch  # noqa: PLC0415 - the Neuron SDK's, see ABSENT

    from models.imaging.network import Network  # noqa: PLC0415

    class Module(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = Network(weights).eval()
            for name in ("head.weight", "head.bias", "centre", "whitening"):
                self.register_buffer(name.replace(".", "_"), torch.from_numpy(weights[name].copy()))

        def forward(self, image: Any) -> Any:
            maps, means = self.network.features(torch.cat([image, image.flip(3)]))
            own, mirrored = torch.nn.functional.conv2d(maps, self.head_weight)[:, 0]
            cam = (own + mirrored.flip(1))[None] / 2
            probability = torch.sigmoid(cam.mean(dim=(1, 2)) + self.head_bias)
            off = (means.mean(dim=0, keepdim=True) - self.centre) @ self.whitening
            return probability, (off * off).mean(dim=1).sqrt(), cam

    return Module()


def compile_for_neuron(weights: Mapping[str, Array], target: Path) -> None:
    """Trace the network for one image, and save what the Neuron runtime loads."""
    import torch  # noqa: PLC0415
    import torch_neuronx  # type: ignore[import-not-found]  # noqa: PLC0415

    example = torch.zeros(1, 1, SIDE, SIDE, dtype=torch.uint8)
    # The compiler would round to 16 bits by itself; the distance is a sum of some 500 small squares.
    compiled = torch_neuronx.trace(module(weights), example, compiler_args=["--auto-cast", "none"])
    torch.jit.save(compiled, str(target))


class Compiled:
    """A compiled file as `serve` runs it."""

    def __init__(self, path: Path) -> None:
        """Load it. Raises ModelMismatch without the Neuron SDK."""
        if absent := missing():
            raise ModelMismatch(
                f"{path.name} is compiled for Inferentia, and {' and '.join(absent)} (AWS's Neuron SDK) is not "
                "here: serve it from an image that has it, or leave the file out of the archive"
            )
        import torch  # noqa: PLC0415
        import torch_neuronx  # noqa: F401, PLC0415 - registers what the file holds

        self._module, self._tensor = torch.jit.load(str(path)), torch.from_numpy

    def run(self, image: NDArray[np.uint8]) -> tuple[float, float, Array]:
        """uint8 [1, 1, s, s] -> probability, distance, cam [h, w]."""
        probability, distance, cam = self._module(self._tensor(image))
        return float(probability[0]), float(distance[0]), cam[0].numpy()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 compiled, 1 not a model that can be compiled, 2 the Neuron SDK is absent."""
    parser = argparse.ArgumentParser(prog="python -m models.imaging.neuron", description=str(__doc__).split("\n")[0])
    parser.add_argument("--model", type=Path, required=True, metavar="model.onnx")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    given = parser.parse_args(arguments)
    try:
        weights = arrays(onnx.load_model_from_string(given.model.read_bytes()))
    except (OSError, DecodeError, ValueError) as error:
        print(f"{given.model} cannot be compiled: {error}", file=sys.stderr)  # noqa: T201 - the command's answer
        return 1
    if absent := missing():
        told = ABSENT.format(missing=" and ".join(absent), model=given.model, out=given.out)
        print(told, file=sys.stderr)  # noqa: T201
        return 2
    given.out.mkdir(parents=True, exist_ok=True)
    target = given.out / COMPILED
    compile_for_neuron(weights, target)
    shutil.copyfile(given.model, given.out / "model.onnx")
    print(target)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
