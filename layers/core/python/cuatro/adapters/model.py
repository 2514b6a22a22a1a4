"""A matrix of features -> probabilities, by an ONNX model that says in its metadata what it expects and what it is."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cuatro.adapters.onnx_file import opened, parsed
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
        self._session, metadata = opened(path, sha256)
        self._input = self._session.get_inputs()[0].name
        if _OUTPUT not in {output.name for output in self._session.get_outputs()}:
            raise ModelMismatch(f"{path} has no output {_OUTPUT!r}")
        self.features = tuple(parsed(metadata, "features", []))
        if self.features != features:
            different = sorted(set(self.features) ^ set(features)) or ["their order"]
            raise ModelMismatch(f"{path} expects other features than this code makes: {', '.join(different)}")
        self.version: str = metadata.get("version", "")
        self.thresholds: dict[str, float] = parsed(metadata, "thresholds", {})
        self.baseline: list[float] = parsed(metadata, "baseline", [])
        if len(self.baseline) not in {0, len(features)}:
            raise ModelMismatch(f"{path} has a baseline of {len(self.baseline)} features")
        self.reference: dict[str, Any] = parsed(metadata, "reference", {})
        self.metrics: dict[str, Any] = parsed(metadata, "metrics", {})

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
