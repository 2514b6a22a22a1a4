"""A profile -> 20 items: CPU of the ranking function alone, ours and the ways of `implicit`, without any AWS call."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
from scipy import sparse

from benchmarks.environment import ROOT
from benchmarks.measure import Contestant, interleaved
from benchmarks.recommendations import peer
from benchmarks.recommendations.workload import Workload
from cuatro.adapters.ranker import OnnxRanker
from cuatro.ranking import Taken
from models.recommendations.export import to_onnx
from models.recommendations.neighbours import Shape
from models.recommendations.ranking import ranking

OURS, ALS, KNN, LARGE = "OnnxRanker", "pandas, implicit ALS", "implicit item-kNN", "OnnxRanker, 100,000 items"
LENGTHS = (5, 20, 100)
K, MANY_ITEMS, MANY_NEIGHBOURS = 20, 100_000, 100
_FAST_TIMES, _SLOW_TIMES = 30, 10


def measure(workload: Workload, model: Path, work: Path, rounds: int) -> dict[int, dict[str, list[int]]]:
    """CPU nanoseconds a list, by length of the profile and contestant."""
    from benchmarks.recommendations import naive  # noqa: PLC0415 - it reads the environment when imported

    ours, many = OnnxRanker(model), OnnxRanker(large(work))
    knn = peer.neighbours(workload.rows, naive.items)
    chance = np.random.default_rng(7)
    figures: dict[int, dict[str, list[int]]] = {}
    for length in LENGTHS:
        own = [str(item) for item in chance.choice(naive.items, length, replace=False)]
        row, frame = peer.row(own, naive.items), pd.DataFrame({"item": own})
        other = [many.names[place] for place in chance.choice(MANY_ITEMS, length, replace=False).tolist()]
        contestants = [
            Contestant(OURS, _ranking(ours, own), _FAST_TIMES),
            Contestant(LARGE, _ranking(many, other), _FAST_TIMES),
            Contestant(ALS, lambda frame=frame: naive.recommend(frame, K), _SLOW_TIMES),
            Contestant(KNN, lambda row=row: knn.recommend(0, row, N=K), _FAST_TIMES),
        ]
        figures[length] = interleaved(contestants, rounds)
    return figures


def _ranking(ranker: OnnxRanker, own: list[str]) -> Any:
    taken = [Taken(item, 0.5 * at) for at, item in enumerate(own)]
    return lambda: ranker.rank("u", taken, own, K)


def large(work: Path) -> Path:
    """A model of 100,000 items with random neighbours, in the shape that such a model is shipped in; made once."""
    export = (ROOT / "models" / "recommendations" / "export.py").read_bytes()
    path = work / f"recommendations-{MANY_ITEMS}-{hashlib.sha256(export).hexdigest()[:12]}.onnx"
    if not path.exists():
        rng = np.random.default_rng(7)
        near = np.concatenate([rng.choice(MANY_ITEMS, MANY_NEIGHBOURS, replace=False) for _ in range(MANY_ITEMS)])
        strength = rng.random(len(near)).astype(np.float32)
        weights = sparse.csr_matrix((strength, near, np.arange(0, len(near) + 1, MANY_NEIGHBOURS)))
        made = ranking("random", weights, rng.integers(1, 1000, MANY_ITEMS), Shape(fade=0.5, ageing=0.1))
        names = [f"item-{number:06}" for number in range(MANY_ITEMS)]
        told = {"version": "random", "features": ["items", "ages", "exclude", "k"]}
        onnx.save(to_onnx(made, names, told), str(path))
    return path
