"""A matrix of features -> probabilities, by a SageMaker endpoint that says with each answer which model it has.

The endpoint may change its model at any time: version, thresholds and baseline are those of the last answer.
"""

import io
from typing import TYPE_CHECKING, Any

import msgspec

from cuatro.adapters.aws import ATTEMPTS, CONNECT_TIMEOUT_S, THROTTLED, Patience, client
from cuatro.errors import ModelMismatch, Refused, Unavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PATIENT = Patience(ATTEMPTS, CONNECT_TIMEOUT_S, 20)
"""A serverless endpoint that was idle starts a container first."""
_MAX_BODY = 4_000_000
"""Of what InvokeEndpoint takes (serverless: 4 MB)."""


class _Answer(msgspec.Struct):
    version: str
    thresholds: dict[str, float]
    scores: list[float]
    baseline: list[float] = []
    reference: dict[str, Any] = {}
    features: list[str] | None = None


_DECODER = msgspec.json.Decoder(_Answer)


class EndpointModel:
    """Scoring by InvokeEndpoint. reference: as of the load, or of the last change of the version."""

    version: str
    thresholds: dict[str, float]
    baseline: list[float]
    reference: dict[str, Any]

    def __init__(self, name: str, features: tuple[str, ...]) -> None:
        """Ask the endpoint what it is. Raises ModelMismatch for a model of other features, Unavailable, Refused."""
        self._name, self.features = name, features
        self._take(self._describe())

    def score(self, matrix: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """float32 [rows, features] -> float32 [rows]. Raises ModelMismatch with the container's words, Unavailable."""
        import numpy as np

        parts: list[list[float]] = []
        size = _MAX_BODY // (4 * len(self.features))
        for start in range(0, max(1, len(matrix)), size):
            rows = matrix[start : start + size]
            answer = self._asked(rows)
            if len(answer.scores) != len(rows):
                raise ModelMismatch(f"{self._name} gave {len(answer.scores)} scores for {len(rows)} rows")
            if answer.version != self.version:
                self._take(self._describe())
                if parts:
                    raise Unavailable(f"{self._name} changed its model meanwhile")
            self.version, self.thresholds, self.baseline = answer.version, answer.thresholds, answer.baseline
            parts.append(answer.scores)
        return np.array([score for part in parts for score in part], np.float32)

    def _describe(self) -> _Answer:
        import numpy as np

        answer = self._asked(np.zeros((0, len(self.features)), np.float32))
        expected = tuple(answer.features) if answer.features is not None else self.features
        if expected != self.features:
            different = sorted(set(expected) ^ set(self.features)) or ["their order"]
            raise ModelMismatch(f"{self._name} expects other features than this code makes: {', '.join(different)}")
        if len(answer.baseline) not in {0, len(self.features)}:
            raise ModelMismatch(f"{self._name} has a baseline of {len(answer.baseline)} features")
        return answer

    def _take(self, answer: _Answer) -> None:
        self.version, self.thresholds = answer.version, answer.thresholds
        self.baseline, self.reference = answer.baseline, answer.reference

    def _asked(self, rows: "NDArray[np.float32]") -> _Answer:
        body = invoked(self._name, _npy(rows), "application/x-npy")
        try:
            return _DECODER.decode(body)
        except msgspec.MsgspecError as error:
            raise ModelMismatch(f"{self._name} does not answer as this suite's models do: {error}") from None


def invoked(name: str, body: bytes, content_type: str, patience: Patience = PATIENT) -> bytes:
    """InvokeEndpoint, the answer as JSON. Raises ModelMismatch with the container's words, Unavailable, Refused."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = client("sagemaker-runtime", patience).invoke_endpoint(
            EndpointName=name, ContentType=content_type, Accept="application/json", Body=body
        )
        content: bytes = answer["Body"].read()
    except ClientError as error:
        raise _explained(name, error.response) from error
    except BotoCoreError as error:
        raise Unavailable(f"{name}: {error}") from error
    return content


def _explained(name: str, response: Any) -> Exception:
    code, message = response["Error"]["Code"], response["Error"].get("Message", "")
    status = response["ResponseMetadata"].get("HTTPStatusCode", 0)
    if code == "ModelError":
        status = response.get("OriginalStatusCode", 500)
        message = _words(response.get("OriginalMessage") or message)
        if status < 500:
            return ModelMismatch(f"{name} refuses the rows: {message}")
    if status >= 500 or status == 429 or code in THROTTLED:
        return Unavailable(f"{name}: {code}: {message}")
    return Refused("InvokeEndpoint", code, message)


def _npy(rows: "NDArray[np.float32]") -> bytes:
    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(rows, np.float32), allow_pickle=False)
    return stream.getvalue()


def _words(text: str) -> str:
    """The container's {"error": ...}, or the text as it is."""
    try:
        return str(msgspec.json.decode(text, type=dict[str, Any])["error"])
    except (msgspec.MsgspecError, KeyError):
        return text
