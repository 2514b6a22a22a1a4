"""(what, texts) -> what is read in each: classes and languages, by the pipeline's own models.

Each is loaded when it is first asked for: a platform that is only asked for languages needs no model.
"""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from cuatro.adapters.backends import ONNX, backend
from cuatro.adapters.languages import probabilities
from cuatro.classification import Backend, Text
from functions.sentiment import features
from local.platform.process import ROOT

MODEL = ROOT / "models" / "sentiment" / "model.onnx"


class Reader:
    """Used from many threads."""

    def __init__(self, model: Path = MODEL) -> None:
        self._model = model
        self._lock = threading.Lock()

    def read(self, what: str, texts: Sequence[str], language: str = "") -> list[Any]:
        """For each text: sentiment -> [negative, neutral, positive]; languages -> [[code, score], ...], best first."""
        if what == "sentiment":
            with self._lock:  # whoever asks first loads it
                model = self._backend
            return [each.probabilities for each in model.classify([Text(text, language) for text in texts])]
        if what == "languages":
            with self._lock:
                return [sorted(probabilities(text).items(), key=lambda each: -each[1]) for text in texts]
        raise ValueError(f"nobody reads {what!r}")

    @cached_property
    def _backend(self) -> Backend:
        return backend(ONNX, str(self._model), features)
