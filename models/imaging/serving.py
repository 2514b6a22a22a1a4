"""A .npy body of prepared images -> probabilities, distances and activation maps, as JSON; what is wrong is named.

    uint8 [n, 1, 224, 224], as functions/imaging/features.py makes them
    -> {"version", "features", "threshold", "unsure": [low, high], "distance_limit",
        "probability": [n], "distance": [n], "cam": [n][7][7]}

No image at all asks what the model is. An endpoint sees a small square without a name, and nothing else.
"""

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from cuatro.adapters.onnx_file import CPU
from cuatro.adapters.radiograph import OnnxReader, checked
from cuatro.errors import ModelMismatch, Rejected
from cuatro.radiographs import Reading
from functions.imaging import features
from models.container.bodies import JSON, NPY

if TYPE_CHECKING:
    from models.imaging.neuron import Compiled

COMPILED = "model.neuron-1.pt"
GPU = "CUDAExecutionProvider"
MOST = 256
"""Images of a body: one needs 50 kB and 25 ms."""


class Radiographs:
    """The model, as the server wants it (models.container.shapes.Served)."""

    takes, gives = (NPY,), (JSON,)

    def __init__(self, path: Path) -> None:
        """Load it. Raises ModelMismatch."""
        if not path.is_file():
            raise ModelMismatch(f"there is no model.onnx in {path.parent}: the archive (model.tar.gz) must hold it")
        compiled = path.with_name(COMPILED)
        self._compiled = neuron(compiled) if compiled.is_file() else None
        self._model = OnnxReader(path, features.VERSION, providers())
        self.version = self._model.facts.version

    def reply(self, body: bytes, given: str, wanted: str) -> bytes:  # noqa: ARG002 - one type each
        """Raises Rejected."""
        readings = self._read(images(body))
        told = {
            **self._model.facts._asdict(),
            "features": features.VERSION,
            "probability": [each.probability for each in readings],
            "distance": [each.distance for each in readings],
            "cam": [each.cam.tolist() for each in readings],
        }
        return msgspec.json.encode(told)

    def _read(self, given: NDArray[np.uint8]) -> list[Reading]:
        if not self._compiled:
            return self._model.read(given)
        return [checked(*self._compiled.run(given[at : at + 1]), self.version) for at in range(len(given))]


def providers() -> list[str]:
    """A GPU where there is one and its build of ONNX Runtime, else the processor."""
    import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415

    return [name for name in (GPU, CPU) if name in onnxruntime.get_available_providers()]


def neuron(path: Path) -> "Compiled":
    """What runs a model that is compiled for Inferentia. Raises ModelMismatch without the Neuron SDK."""
    from models.imaging.neuron import Compiled  # noqa: PLC0415 - only for such a file

    return Compiled(path)


def served(directory: Path) -> Radiographs:
    """What `serve` serves. Raises ModelMismatch."""
    return Radiographs(directory / "model.onnx")


def images(body: bytes) -> NDArray[np.uint8]:
    """uint8 [n, 1, SIDE, SIDE] of a .npy file. Raises Rejected."""
    stream = io.BytesIO(body)
    try:
        major, _ = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
        shape, fortran, kind = header(stream)
    except ValueError as error:
        raise Rejected(f"not a .npy file: {error}") from None
    expected = (1, features.SIDE, features.SIDE)
    if kind != np.uint8 or fortran or shape[1:] != expected or not 0 <= shape[0] <= MOST:
        raise Rejected(f"{kind} {shape}: images are uint8 [n, 1, {features.SIDE}, {features.SIDE}], at most {MOST}")
    content = body[stream.tell() :]
    # Before anything is allocated: a header may promise more than there is.
    if math.prod(shape) != len(content):
        raise Rejected(f"the header tells of {shape} values, but {len(content)} bytes follow")
    return np.frombuffer(content, np.uint8).reshape(shape)
