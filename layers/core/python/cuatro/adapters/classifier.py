"""Texts -> probabilities of classes, by an ONNX file and the tokenizer beside it, in this process with one thread.

What makes the model's inputs comes in from outside (`features`): this adapter only checks that it is what the file was
trained with.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from cuatro.adapters.onnx_file import opened
from cuatro.errors import ModelMismatch

TOKENIZER = "tokenizer.model"
"""Name of the SentencePiece file beside the model."""
BATCH = 32
"""Posts a run, of about the same length: a larger one only costs memory."""


class Features(Protocol):
    """functions/sentiment/features.py, or what has the same names."""

    VERSION: str

    def encode(self, texts: Sequence[str], tokenizer: Any, /) -> Mapping[str, Any]:
        """The model's inputs, padded to the longest text, with a mask that sums to the length."""


class Classifier:
    """Loaded once, by whoever caches it. version: of the model; unsure_below: less than that is an unsure answer."""

    def __init__(self, path: str | Path, features: Features, sha256: str | None = None) -> None:
        """Load both files. Raises ModelMismatch for a damaged one or one made for other features, OSError."""
        tokenizer = Path(path).with_name(TOKENIZER).read_bytes()
        self._session, metadata = opened(path, sha256)
        inputs = {each.name for each in self._session.get_inputs()}
        outputs = {each.name for each in self._session.get_outputs()}
        if "input_ids" not in inputs or "probabilities" not in outputs:
            raise ModelMismatch(f"{path} classifies no texts: it takes {sorted(inputs)} and gives {sorted(outputs)}")
        if (made_for := metadata.get("features")) != features.VERSION:
            raise ModelMismatch(f"{path} expects other features than this code makes: {made_for}")
        if metadata.get("tokenizer_sha256") != hashlib.sha256(tokenizer).hexdigest():
            raise ModelMismatch(f"{TOKENIZER} beside {path} is not the one that the model was trained with")
        import sentencepiece

        self._tokenizer = sentencepiece.SentencePieceProcessor(model_proto=tokenizer)
        self._features, self._inputs = features, inputs
        self.version: str = metadata.get("version", "")
        self.unsure_below = float(metadata.get("unsure_below", 0))

    def classify(self, texts: Sequence[str]) -> Any:
        """Probabilities, float32 [n, 3], in the texts' order. Raises ModelMismatch when the model cannot be run."""
        import numpy as np

        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        answer = np.zeros((len(texts), 3), np.float32)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            given = self._features.encode([texts[at] for at in places], self._tokenizer)
            try:
                (found,) = self._session.run(["probabilities"], {name: given[name] for name in self._inputs})
            except Exception as error:  # onnxruntime has a dozen kinds without a common ancestor
                raise ModelMismatch(f"{self.version} cannot classify: {error}") from error
            if found.shape != (len(places), 3) or not np.isfinite(found).all():
                raise ModelMismatch(f"probabilities of {self.version} are no numbers")
            answer[places] = found
        return answer


@cache
def classifier(path: str, features: Features) -> Classifier:
    """The classifier of a model file, loaded once. Raises ModelMismatch, OSError."""
    return Classifier(path, features)
