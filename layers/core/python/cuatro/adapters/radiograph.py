"""Prepared radiographs -> readings, by an ONNX file in this process or by a SageMaker endpoint.

The file's metadata has version, features, threshold, unsure (two numbers) and distance_limit. An endpoint takes a .npy
body and tells the same with each answer: it may change its model at any time.

    {"version", "features", "threshold", "unsure": [low, high], "distance_limit",
     "probability": [n], "distance": [n], "cam": [n][h][w]}
"""

import io
from collections.abc import Sequence
from functools import cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cuatro.adapters.endpoint import invoked
from cuatro.adapters.model import ENDPOINT
from cuatro.adapters.onnx_file import CPU, opened, parsed
from cuatro.errors import ModelMismatch
from cuatro.radiographs import Facts, Reader, Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IMAGES_A_CALL = 16
"""Of 50 kB each: an endpoint answers within a minute, and a serverless one takes 4 MB."""
_OUTPUTS = ["probability", "distance", "cam"]


class OnnxReader:
    """Reads within this process, with one thread. As Reader says."""

    def __init__(self, path: str | Path, features: str, providers: Sequence[str] = (CPU,)) -> None:
        """features: version of what prepares the images. Raises ModelMismatch, OSError for a file that is not there."""
        self._session, metadata = opened(path, providers=providers)
        inputs = {each.name: each.shape for each in self._session.get_inputs()}
        outputs = {each.name for each in self._session.get_outputs()}
        if set(inputs) != {"image"} or not outputs.issuperset(_OUTPUTS):
            raise ModelMismatch(f"{path} reads no radiographs: it takes {sorted(inputs)} and gives {sorted(outputs)}")
        if (made_for := metadata.get("features")) != features:
            raise ModelMismatch(f"{path} expects other features than this code makes: {made_for}")
        self.side = int(inputs["image"][2])
        self.metrics: dict[str, Any] = parsed(metadata, "metrics", {})
        self.facts = _facts(metadata, str(path))

    def read(self, images: "NDArray[np.uint8]") -> list[Reading]:
        """As Reader says; one image at a time, so that a reading never depends on its neighbours."""
        return [self._one(images[at : at + 1]) for at in range(len(images))]

    def _one(self, image: "NDArray[np.uint8]") -> Reading:
        try:
            probability, distance, cam = self._session.run(_OUTPUTS, {"image": image})
        except Exception as error:  # onnxruntime has a dozen kinds without a common ancestor
            raise ModelMismatch(f"{self.facts.version} cannot read: {error}") from error
        return checked(float(probability[0]), float(distance[0]), cam[0], self.facts.version)


class _Answer(msgspec.Struct):
    version: str
    features: str
    threshold: float
    unsure: tuple[float, float]
    distance_limit: float
    probability: list[float]
    distance: list[float]
    cam: list[list[list[float]]]


_ANSWER = msgspec.json.Decoder(_Answer)


class EndpointReader:
    """Reads by InvokeEndpoint. As Reader says."""

    def __init__(self, name: str, features: str, side: int) -> None:
        """Ask the endpoint what it is, with no image. Raises ModelMismatch, Unavailable, Refused."""
        import numpy as np

        self._name, self._features = name, features
        self._asked(np.zeros((0, 1, side, side), np.uint8))

    def read(self, images: "NDArray[np.uint8]") -> list[Reading]:
        """As Reader says."""
        import numpy as np

        found: list[Reading] = []
        for start in range(0, len(images), IMAGES_A_CALL):
            part = images[start : start + IMAGES_A_CALL]
            answer = self._asked(part)
            if not len(answer.probability) == len(answer.distance) == len(answer.cam) == len(part):
                raise ModelMismatch(f"{self._name} gave {len(answer.probability)} answers for {len(part)} images")
            for probability, distance, cam in zip(answer.probability, answer.distance, answer.cam, strict=True):
                found.append(checked(probability, distance, np.array(cam, np.float32), self._name))
        return found

    def _asked(self, images: "NDArray[np.uint8]") -> _Answer:
        import numpy as np

        stream = io.BytesIO()
        np.save(stream, np.ascontiguousarray(images), allow_pickle=False)
        body = invoked(self._name, stream.getvalue(), "application/x-npy")
        try:
            answer = _ANSWER.decode(body)
        except msgspec.MsgspecError as error:
            raise ModelMismatch(f"{self._name} does not answer as this suite's readers do: {error}") from None
        if answer.features != self._features:
            raise ModelMismatch(f"{self._name} expects other features than this code makes: {answer.features}")
        self.facts = Facts(answer.version, answer.threshold, answer.unsure, answer.distance_limit)
        return answer


def _facts(metadata: Any, path: str) -> Facts:
    try:
        low, high = parsed(metadata, "unsure", None)
        return Facts(
            str(metadata["version"]),
            float(metadata["threshold"]),
            (float(low), float(high)),
            float(metadata["distance_limit"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelMismatch(f"{path} does not tell its version, threshold, unsure and distance_limit") from error


def checked(probability: float, distance: float, cam: "NDArray[np.float32]", version: str) -> Reading:
    """A reading of what a model gave. Raises ModelMismatch for what cannot be one."""
    import numpy as np

    numbers = isfinite(distance) and distance >= 0 and cam.ndim == 2 and bool(np.isfinite(cam).all())
    if not numbers or not 0 <= probability <= 1:
        raise ModelMismatch(f"readings of {version} are no numbers")
    return Reading(probability, distance, cam)


@cache
def reader(uri: str, features: str, side: int) -> Reader:
    """The reader at `uri`, made once: the path of an ONNX file, or sagemaker:<name of an endpoint>.

    Raises ModelMismatch, OSError for a file that is not there, Unavailable and Refused for an endpoint.
    """
    if uri.startswith(ENDPOINT):
        return EndpointReader(uri.removeprefix(ENDPOINT), features, side)
    return OnnxReader(uri, features)
