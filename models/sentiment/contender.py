"""A model's archive -> what it says of posts, as serving runs it, and whether it can be used at all."""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuatro.adapters.classifier import TOKENIZER, Classifier
from cuatro.errors import ModelMismatch
from functions.sentiment import features
from models.container.archive import unpack

GOLDEN_TOLERANCE = 0.02
"""Of a probability: processors round the products of 8-bit numbers differently."""
ROUNDS, TIMED = 5, 32

Array = NDArray[np.float32]


class Contender:
    """A model from a folder with its files. files: name -> content. Raises ModelMismatch."""

    def __init__(self, folder: Path) -> None:
        self.files = {each.name: each.read_bytes() for each in sorted(folder.iterdir()) if each.is_file()}
        if missing := {"model.onnx", TOKENIZER} - self.files.keys():
            raise ModelMismatch(f"there is no {', '.join(sorted(missing))} in its archive")
        self._classifier = Classifier(folder / "model.onnx", features)
        self.sha256 = hashlib.sha256(self.files["model.onnx"]).hexdigest()
        self.version = self._classifier.version or "unknown"
        self.unsure_below = self._classifier.unsure_below
        self.golden: list[dict[str, Any]] = json.loads(self.files.get("golden.json", b"[]"))

    @classmethod
    def of(cls, directory: Path) -> "Contender":
        """From the one archive in a directory. Raises ValueError for a bad archive, ModelMismatch for a model."""
        with tempfile.TemporaryDirectory() as unpacked:
            unpack(directory, Path(unpacked))
            return cls(Path(unpacked))

    def says(self, texts: Sequence[str]) -> Array:
        """Probabilities [n, 3], in the order of the texts and of features.LABELS. Raises ModelMismatch."""
        found: Array = self._classifier.classify(texts)
        return found

    def why_unusable(self, said: Array, tokenizer: bytes) -> str:
        """Empty when it can be used. tokenizer: the champion's, which a roll-out lays beside both."""
        if said.min() < 0 or np.abs(said.sum(axis=1) - 1).max() > 1e-3:
            return "what it gives are no probabilities"
        if not 0 <= self.unsure_below < 1:
            return f"it is unsure below {self.unsure_below}"
        if self.files[TOKENIZER] != tokenizer:
            return "it has another tokenizer than the live model: a roll-out lays one beside both, deploy it instead"
        if not self.golden:
            return "its archive has no golden.json"
        given = self.says([row["text"] for row in self.golden])
        if np.abs(given - np.array([row["probabilities"] for row in self.golden])).max() > GOLDEN_TOLERANCE:
            return "it does not give its golden posts their probabilities"
        return ""


def seconds(
    texts: Sequence[str], *contenders: Contender, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """What each needs for TIMED posts: the best of ROUNDS in which they take turns, so that other work hits all."""
    some = list(texts[:TIMED])
    best = [float("inf")] * len(contenders)
    for _ in range(ROUNDS):
        for at, contender in enumerate(contenders):
            start = clock()
            contender.says(some)
            best[at] = min(best[at], clock() - start)
    return best
