"""A ranking model of twelve items, by the same export as the shipped one: what follows what is written out by hand."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from scipy import sparse

from models.recommendations.export import to_onnx
from models.recommendations.neighbours import Shape
from models.recommendations.ranking import ranking

NAMES = [f"i-{number}" for number in range(1, 13)]
FOLLOWS = {"i-1": {"i-2": 1.0, "i-3": 0.5, "i-4": 0.25}, "i-2": {"i-5": 0.8, "i-6": 0.2}, "i-7": {"i-8": 0.4}}
COUNTS = [100, 90, 80, 70, 60, 50, 40, 30, 20, 10, 5, 1]
"""Interactions of each item in training: i-1 is the most popular."""


def save(
    path: Path,
    *,
    version: str = "tiny-1",
    follows: dict[str, dict[str, float]] | None = None,
    ageing: float = 0.0,
    names: Sequence[str] = NAMES,
) -> Path:
    """The model, and its checksum beside it. names: twelve."""
    weights = np.zeros((len(NAMES), len(NAMES)), np.float32)
    for item, others in (FOLLOWS if follows is None else follows).items():
        for other, weight in others.items():
            weights[names.index(item), names.index(other)] = weight
    made = ranking("tiny", sparse.csr_matrix(weights), np.array(COUNTS, np.int64), Shape(fade=1.0, ageing=ageing))
    told = {"version": version, "features": json.dumps(["items", "ages", "exclude", "k"]), "popularity": COUNTS}
    onnx.save(to_onnx(made, names, told), str(path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    Path(f"{path}.sha256").write_text(f"{digest}  {path.name}\n", encoding="utf-8")
    return path
