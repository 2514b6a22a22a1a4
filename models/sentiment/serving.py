"""A request's body of posts -> probabilities, as JSON or JSON Lines; what is wrong names its instance.

    {"instances": [{"text": "...", "language": "en"}, ...]}
    -> {"predictions": [{"probabilities": [3 numbers]}, ...], "model_version": "...", "unsure_below": 0.5}
    in the order negative, neutral, positive

JSON Lines have an instance a line and a prediction a line, as a batch transform splits and joins them. The language
may be left out: the model reads all that it knows. A blank text has no class: a third each.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from cuatro.adapters.backends import OnnxBackend
from cuatro.adapters.classifier import classifier
from cuatro.classification import Text
from cuatro.errors import ModelMismatch, Rejected
from functions.sentiment import features
from models.container.instances import UNREADABLE, from_json, from_lines

JSON, LINES = "application/json", "application/jsonlines"
LONGEST = 100_000
"""Characters of a text: of a longer one nobody would read the end, and something is wrong with the caller."""


class Instance(msgspec.Struct, forbid_unknown_fields=True):
    """A post."""

    text: Annotated[str, msgspec.Meta(max_length=LONGEST)]
    language: Annotated[str, msgspec.Meta(max_length=35)] = "und"


class _Prediction(msgspec.Struct):
    probabilities: tuple[float, float, float]


class _Predictions(msgspec.Struct):
    predictions: list[_Prediction]
    model_version: str
    unsure_below: float


_INSTANCE = msgspec.json.Decoder(Instance)


class Posts:
    """The model, as the server wants it (models.container.shapes.Served)."""

    takes = gives = (JSON, LINES)

    def __init__(self, path: Path) -> None:
        """Load it. Raises ModelMismatch."""
        if not path.is_file():
            raise ModelMismatch(f"there is no model.onnx in {path.parent}: the archive (model.tar.gz) must hold it")
        try:
            model = classifier(str(path), features)
        except OSError as error:  # the tokenizer, which lies beside the model
            raise ModelMismatch(f"the archive is not whole: {error}") from error
        self._backend = OnnxBackend(model)
        self._unsure_below = float(model.unsure_below)
        self.version = self._backend.version

    def reply(self, body: bytes, given: str, wanted: str) -> bytes:
        """Raises Rejected."""
        instances = DECODE[given](body)
        verdicts = self._backend.classify([Text(each.text, each.language) for each in instances])
        predictions = [_Prediction(each.probabilities) for each in verdicts]
        return ENCODE[wanted](_Predictions(predictions, self.version, self._unsure_below))


def served(directory: Path) -> Posts:
    """What `serve` serves. Raises ModelMismatch."""
    return Posts(directory / "model.onnx")


def _checked(data: bytes | msgspec.Raw, where: str) -> Instance:
    try:
        return _INSTANCE.decode(data)
    except UNREADABLE as error:
        raise Rejected(f"{where}: {error}") from None


DECODE: dict[str, Callable[[bytes], list[Instance]]] = {
    JSON: lambda body: from_json(body, _checked, '{"text": ...}'),
    LINES: lambda body: from_lines(body, _checked),
}
"""Content type -> body -> instances. Raises Rejected."""

ENCODE: dict[str, Callable[[_Predictions], bytes]] = {
    JSON: msgspec.json.encode,
    LINES: lambda found: b"".join(msgspec.json.encode(each) + b"\n" for each in found.predictions),
}
"""Accept -> predictions -> body."""
