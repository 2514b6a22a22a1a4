"""Histories -> the candidate and the shape that rank what was held back for validation best; the test is never seen.

Coordinate search: one value at a time, from defaults that are good on several data sets, judged by the mean of NDCG@10
and NDCG@20 on a seeded sample of users.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import sparse

from models.recommendations.data import Held, Histories
from models.recommendations.evaluate import measured
from models.recommendations.linear import ease
from models.recommendations.neighbours import Shape, co_occurrence, normalised, strongest
from models.recommendations.ranking import Ranking, kept_neighbours, ranking

log = logging.getLogger(__name__)

GRID: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("fade", (0.0, 0.5, 1.5)),
    ("target", (0.15, 0.5, 0.7)),
    ("source", (0.1, 0.5, 0.7)),
    ("backward", (0.1, 0.6, 1.0)),
    ("ageing", (0.1, 0.3, 1.0)),
    ("distance", (0.0, 1.0)),
    ("fade", (0.25, 0.75, 1.0, 1.25)),
    ("target", (0.3, 0.4)),
)
EASE_FADES, RIDGES = (0.0, 0.25, 0.5, 1.0), (30.0, 100.0, 300.0, 1000.0)
EASE_ITEMS, MANY_RIDGES_ITEMS = 13_000, 4_000
"""Above the first there is no EASE (its time grows with items cubed), above the second only one ridge is tried."""
ONE_RIDGE = 300.0
VALIDATION_USERS = 5_000


@dataclass(frozen=True)
class Choice:
    """kind: "neighbours" or "ease"; seed: of the sample; validation: figures of the best of each kind on it."""

    kind: str
    shape: Shape
    ridge: float
    seed: int
    validation: dict[str, dict[str, Any]]

    def fitted(self, train: Histories) -> Ranking:
        """The chosen model, trained on these histories."""
        most = kept_neighbours(len(train.names))
        if self.kind == "ease":
            return ranking("ease", ease(train, self.ridge, most), train.counts, self.shape)
        forward = co_occurrence(train, self.shape.distance)
        weights = strongest(normalised(forward, train.counts, self.shape), most)
        return ranking("neighbours", weights, train.counts, self.shape)


def sample(held: Held, seed: int) -> Held:
    """Some of the users, so that every trial takes a second or two."""
    most = VALIDATION_USERS
    if len(held.users) <= most:
        return held
    picked = np.sort(np.random.default_rng(seed).choice(len(held.users), most, replace=False))
    place = np.full(len(held.users), -1)
    place[picked] = np.arange(most)
    rows = place[held.rows] >= 0
    return Held(held.users[picked], place[held.rows[rows]], held.items[rows])


def choose(train: Histories, held: Held, seed: int, ease_items: int = EASE_ITEMS) -> Choice:
    """train: without what is held back. Raises ValueError when there is nothing to validate with."""
    if not len(held.users):
        raise ValueError("nobody has two interactions: there is nothing to learn from or to validate with")
    some = sample(held, seed)

    def judged(candidate: Ranking) -> tuple[float, dict[str, float]]:
        figures = measured(candidate.lists, train, some, train.counts)
        return (figures["ndcg_10"] + figures["ndcg_20"]) / 2, figures

    shape, value, figures = _neighbours(train, judged)
    told: dict[str, dict[str, Any]] = {"neighbours": {**figures, "shape": asdict(shape)}}
    best = Choice("neighbours", shape, 0.0, seed, told)
    if len(train.names) > ease_items:
        log.info("%d items: more than %d, EASE is left out", len(train.names), ease_items)
        return best
    for ridge, ease_shape, ease_value, ease_figures in _eases(train, judged, shape):
        if "ease" not in told or ease_value > told["ease"]["value"]:
            told["ease"] = {**ease_figures, "ridge": ridge, "shape": asdict(ease_shape), "value": ease_value}
        if ease_value > value:
            value, best = ease_value, Choice("ease", ease_shape, ridge, seed, told)
    told["ease"].pop("value")
    return best


Judge = Callable[[Ranking], tuple[float, dict[str, float]]]


def _neighbours(train: Histories, judged: Judge) -> tuple[Shape, float, dict[str, float]]:
    most, counts = kept_neighbours(len(train.names)), train.counts

    @lru_cache(maxsize=1)  # one at a time: it is the largest thing here
    def forward(distance: float) -> sparse.csr_matrix:
        return co_occurrence(train, distance)

    @lru_cache(maxsize=2)
    def weights(still: Shape) -> sparse.csr_matrix:
        return strongest(normalised(forward(still.distance), counts, still), most)

    def tried(shape: Shape) -> tuple[float, dict[str, float]]:
        # What only weighs profiles leaves the neighbours as they are.
        return judged(ranking("neighbours", weights(replace(shape, fade=0.0, ageing=0.0)), counts, shape))

    shape = Shape()
    value, figures = tried(shape)
    for name, values in GRID:
        if name == "ageing" and not train.timed:
            continue
        for other in (replace(shape, **{name: one}) for one in values if one != getattr(shape, name)):
            found, its = tried(other)
            if found > value:
                shape, value, figures = other, found, its
        log.info("neighbours: %s %g, NDCG %.4f", name, getattr(shape, name), value)
    return shape, value, figures


def _eases(train: Histories, judged: Judge, like: Shape) -> Iterator[tuple[float, Shape, float, dict[str, float]]]:
    """Every ridge with every recency."""
    items = len(train.names)
    for ridge in RIDGES if items <= MANY_RIDGES_ITEMS else (ONE_RIDGE,):
        weights = ease(train, ridge, kept_neighbours(items))
        for fade in EASE_FADES:
            shape = replace(like, fade=fade)
            value, figures = judged(ranking("ease", weights, train.counts, shape))
            log.info("EASE: ridge %g, fade %g, NDCG %.4f", ridge, fade, value)
            yield ridge, shape, value, figures
