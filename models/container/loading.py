"""model.onnx in a directory -> a model that scores from many threads, or why it cannot be served."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
from numpy.typing import NDArray

from cuatro.errors import ModelMismatch

OUTPUT = "probabilities"
Score = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class ServedModel:
    """What the metadata tells is empty where it is not there; width: the number of features."""

    def __init__(self, directory: Path) -> None:
        """Load model.onnx, after checking it against model.onnx.sha256 where that is there. Raises ModelMismatch."""
        path = directory / "model.onnx"
        beside = path.with_name("model.onnx.sha256")
        if not path.is_file():
            raise ModelMismatch(f"there is no model.onnx in {directory}: the archive (model.tar.gz) must hold it")
        content = path.read_bytes()
        if beside.is_file() and hashlib.sha256(content).hexdigest() != beside.read_text(encoding="utf-8").strip()[:64]:
            raise ModelMismatch(f"{path} has not the checksum of {beside.name}: it is damaged or was exchanged")
        options = onnxruntime.SessionOptions()
        # One thread a request: requests come side by side, and many cores for one of them would only make others wait.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a dozen kinds without a common ancestor
            raise ModelMismatch(f"{path} is no ONNX model that can be run: {error}") from error
        given = self._session.get_inputs()[0]
        if OUTPUT not in {output.name for output in self._session.get_outputs()} or len(given.shape) != 2:
            raise ModelMismatch(f"{path} does not take a matrix and give {OUTPUT!r}")
        self._input = given.name
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.version: str = metadata.get("version", "")
        self.thresholds: dict[str, float] = json.loads(metadata.get("thresholds", "{}"))
        self.baseline: list[float] = json.loads(metadata.get("baseline", "[]"))
        self.reference: dict[str, Any] = json.loads(metadata.get("reference", "{}"))
        self.features: tuple[str, ...] = tuple(json.loads(metadata.get("features", "[]")))
        self.width: int = given.shape[1] if isinstance(given.shape[1], int) else len(self.features)
        if not self.width:
            raise ModelMismatch(f"{path} does not tell how many features it takes")
        self._compiled = _compiled(directory)

    def score(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [rows, width] -> float32 [rows], in one run."""
        if self._compiled:
            return self._compiled(matrix)
        output = self._session.run([OUTPUT], {self._input: matrix})[0]
        scores: NDArray[np.float32] = output[:, -1] if output.ndim == 2 else output
        return scores


def _compiled(directory: Path) -> Score | None:
    """What models/container/neuron.py made of the model, if the archive holds it."""
    found = sorted(directory.glob("model.neuron-*.pt"))
    if not found:
        return None
    from models.container.neuron import scorer  # noqa: PLC0415 - seldom there

    return scorer(found[-1])
