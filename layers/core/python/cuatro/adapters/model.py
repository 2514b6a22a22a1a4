"""A matrix of features -> probabilities, by an ONNX model that says in its metadata what it expects and what it is.

A file beside it, <model>.sha256, holds the digest that the model must have (a damaged one is not loaded).
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cuatro.errors import ModelMismatch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cuatro.adapters.endpoint import EndpointModel

_OUTPUT = "probabilities"
ENDPOINT = "sagemaker:"
"""How the URI of a model begins that an endpoint serves; any other is a path."""


class OnnxModel:
    """version, features, thresholds, baseline, reference, metrics from the metadata; score() uses one thread."""

    def __init__(self, path: str | Path, features: tuple[str, ...], sha256: str | None = None) -> None:
        """Load. Raises ModelMismatch when the features (names and order), the output or the checksum differ."""
        import onnxruntime  # type: ignore[import-untyped]  # a quarter of a second of a cold start: only when a model is really needed

        content, beside = Path(path).read_bytes(), Path(f"{path}.sha256")
        if sha256 is None and beside.exists():
            sha256 = beside.read_text(encoding="utf-8").split()[0]
        if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
            raise ModelMismatch(f"{path} has not the expected checksum {sha256}: deploy it again")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has a dozen kinds without a common ancestor
            raise ModelMismatch(f"{path} is no ONNX model that can be run: {error}") from error
        self._input = self._session.get_inputs()[0].name
        if _OUTPUT not in {output.name for output in self._session.get_outputs()}:
            raise ModelMismatch(f"{path} has no output {_OUTPUT!r}")
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.features = tuple(_parsed(metadata, "features", []))
        if self.features != features:
            different = sorted(set(self.features) ^ set(features)) or ["their order"]
            raise ModelMismatch(f"{path} expects other features than this code makes: {', '.join(different)}")
        self.version: str = metadata.get("version", "")
        self.thresholds: dict[str, float] = _parsed(metadata, "thresholds", {})
        self.baseline: list[float] = _parsed(metadata, "baseline", [])
        if len(self.baseline) not in {0, len(features)}:
            raise ModelMismatch(f"{path} has a baseline of {len(self.baseline)} features")
        self.reference: dict[str, Any] = _parsed(metadata, "reference", {})
        self.metrics: dict[str, Any] = _parsed(metadata, "metrics", {})

    def score(self, matrix: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """float32 [rows, features] -> float32 [rows]: calibrated probability of fraud. Raises ModelMismatch."""
        if matrix.shape[1] != len(self.features):
            raise ModelMismatch(f"rows have {matrix.shape[1]} values, the model takes {len(self.features)}")
        output = self._session.run([_OUTPUT], {self._input: matrix})[0]
        probabilities: NDArray[np.float32] = output[:, -1] if output.ndim == 2 else output
        return probabilities


@cache
def loaded(uri: str, features: tuple[str, ...]) -> "OnnxModel | EndpointModel":
    """The model at `uri`, made once: the path of an ONNX file, or sagemaker:<name of an endpoint>.

    Raises ModelMismatch, OSError for a file that is not there, Unavailable and Refused for an endpoint.
    """
    if uri.startswith(ENDPOINT):
        from cuatro.adapters.endpoint import EndpointModel

        return EndpointModel(uri.removeprefix(ENDPOINT), features)
    return OnnxModel(uri, features)


def _parsed(metadata: Mapping[str, str], key: str, default: Any) -> Any:
    return json.loads(metadata[key]) if key in metadata else default
