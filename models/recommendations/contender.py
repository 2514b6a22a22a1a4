"""A model's archive and cases -> the lists that it would have shown, and whether it can be used at all."""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from cuatro.adapters.ranker import OnnxRanker
from cuatro.errors import ModelMismatch
from cuatro.ranking import Ranked, Taken
from models.container.archive import unpack

LONGEST = 20
GOLDEN_TOLERANCE = 1e-4
"""Of a score's size."""
FEWEST_KNOWN = 0.9
"""Of what people took in training, the share that a new model must know."""
ROUNDS, TIMED = 15, 100


class Case(NamedTuple):
    """Somebody before they took `wanted`: what they had taken to, newest first, and all that they had seen."""

    user: str
    wanted: str
    taken: list[Taken]
    seen: list[str]


def read(table: pd.DataFrame) -> list[Case]:
    """Of models.recommendations.cases' table."""
    return [
        Case(row.user, row.wanted, [Taken(*pair) for pair in zip(row.items, row.ages, strict=True)], list(row.seen))
        for row in table.itertuples(index=False)
    ]


class Contender:
    """A model from the one archive in a directory. Raises ValueError for a bad archive, ModelMismatch for a model."""

    def __init__(self, directory: Path) -> None:
        with tempfile.TemporaryDirectory() as unpacked:
            unpack(directory, Path(unpacked))
            path, golden = Path(unpacked) / "model.onnx", Path(unpacked) / "golden.json"
            if not path.is_file():
                raise ModelMismatch("there is no model.onnx in its archive")
            self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            self.ranker = OnnxRanker(path)
            self.golden: list[dict[str, Any]] = (
                json.loads(golden.read_text(encoding="utf-8")) if golden.is_file() else []
            )

    @property
    def version(self) -> str:
        """As its metadata tells."""
        return self.ranker.version or "unknown"

    def lists(self, cases: Sequence[Case]) -> list[Ranked]:
        """What each would have been shown. Raises ModelMismatch."""
        return [self.ranker.rank(case.user, case.taken, case.seen, LONGEST) for case in cases]

    def known(self, popularity: dict[str, int]) -> float:
        """The share of what people took that is of items the model knows."""
        return sum(rows for item, rows in popularity.items() if self.ranker.knows(item)) / sum(popularity.values())

    def why_unusable(self, cases: Sequence[Case], lists: Sequence[Ranked], popularity: dict[str, int]) -> str:
        """Empty when it can be used."""
        if not self.golden:
            return "its archive has no golden.json"
        if (share := self.known(popularity)) < FEWEST_KNOWN:
            return f"it knows items of only {share:.0%} of what people took"
        if any(set(case.seen) & set(ranked.items) for case, ranked in zip(cases, lists, strict=True)):
            return "it recommends what it was told to exclude"
        if any(list(ranked.scores) != sorted(ranked.scores, reverse=True) for ranked in lists):
            return "its lists are not in the order of their scores"
        if not all(map(self._as_golden, self.golden)):
            return "it does not give its golden profiles their lists"
        return ""

    def _as_golden(self, row: dict[str, Any]) -> bool:
        names = self.ranker.names
        taken = [Taken(names[item], age) for item, age in zip(row["items"], row["ages"], strict=True)]
        given = self.ranker.rank("", taken, [names[item] for item in row["exclude"]], max(len(row["top"]), 1))
        scores = row["scores"]
        size = max(map(abs, scores), default=0) * GOLDEN_TOLERANCE
        if len(given.scores) < len(scores):
            return False
        if any(abs(one - other) > size for one, other in zip(given.scores, scores, strict=False)):
            return False
        # Of equal scores, another processor may take the other one.
        clear = {names[item] for item, score in zip(row["top"], scores, strict=True) if score > scores[-1] + 2 * size}
        return clear <= set(given.items)


def seconds(
    cases: Sequence[Case], *contenders: Contender, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """What each needs for TIMED lists: the best of ROUNDS in which they take turns, so that other work hits all."""
    some = cases[:TIMED]
    best = [float("inf")] * len(contenders)
    for _ in range(ROUNDS):
        for at, contender in enumerate(contenders):
            start = clock()
            contender.lists(some)
            best[at] = min(best[at], clock() - start)
    return best
