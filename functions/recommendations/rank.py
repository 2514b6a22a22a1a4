"""What a user took, shelves, a ranker's list -> one pool of items, best first, each with its source and its reason.

Who is known to the model gets its list, and popular items where that ends. Who is not gets what is popular in the
context, and what is like the little that is known. What was taken last but is new to the model counts by its content.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from cuatro.ranking import Ranked, Ranker, Taken
from functions.recommendations.lists import Source
from functions.recommendations.shelves import Count

CONFIDENCE = 50.0
"""Interactions in a context that weigh as much as what is popular with everybody."""
NEWEST = 3
"""So many of what was taken last are looked at by content, where the model does not know them."""
_EVERY = 3
"""Where both have something, every third item is one by content."""


class Pooled(NamedTuple):
    """An item that could be shown. because: what was taken that speaks for it. among: the context it is popular in."""

    item: str
    score: float
    because: str | None
    source: Source
    among: str | None = None


def new_to_the_model(taken: Sequence[Taken], ranker: Ranker) -> list[Taken]:
    """Of the newest that were taken, those that the ranker does not know."""
    return [each for each in taken[:NEWEST] if not ranker.knows(each.item)]


def personal(ranked: Ranked, reasons: bool) -> tuple[list[Pooled], list[Pooled]]:
    """A ranker's list: what it has a reason for, and the rest, which then stands there for its popularity.

    reasons: does this ranker ever give one? One that does not has meant all of it.
    """
    rows = list(zip(ranked.items, ranked.scores, ranked.because, strict=True))
    if not reasons:
        return [Pooled(item, score, None, "model") for item, score, _ in rows], []
    meant = [Pooled(item, score, because, "model") for item, score, because in rows if because]
    return meant, [Pooled(item, score, None, "popular") for item, score, because in rows if not because]


def general(counts: Sequence[Count], prior: Mapping[str, float], mass: float) -> dict[str, float]:
    """Shares of interactions with everybody, 0 to 1: what was counted lately, and before that what the model knows.

    prior: shares in training, which weigh as much as `mass` interactions: a dozen clicks on a shelf that was empty say
    less than a training set, thousands say more.
    """
    total = sum(each.least for each in counts) + (mass if prior else 0.0)
    if total <= 0:
        return {}
    shares = {item: share * mass / total for item, share in prior.items()} if mass else {}
    for each in counts:
        shares[each.item] = shares.get(each.item, 0.0) + each.least / total
    return shares


def popular(
    everybody: Mapping[str, float], contexts: Mapping[str, Sequence[Count]], exclude: Collection[str]
) -> list[Pooled]:
    """What is popular in these contexts (named key=value), best first; score: share of interactions, 0 to 1.

    p(item | context) = (count + c p(item)) / (all counts + c), averaged over the contexts: a Dirichlet prior from
    everybody's shares, so that a context that was hardly seen says little (Zhai and Lafferty 2004, "A study of
    smoothing methods for language models").
    """
    seen = {name: counts for name, counts in contexts.items() if counts}
    if not seen:
        return [Pooled(item, share, None, "popular") for item, share in _best(everybody, exclude)]
    scores: dict[str, float] = {}
    lifts: dict[str, tuple[float, str]] = {}
    for name, counts in seen.items():
        weight = sum(each.least for each in counts) + CONFIDENCE
        own = {each.item: each.least for each in counts}
        for item in everybody.keys() | own.keys():
            share = (own.get(item, 0.0) + CONFIDENCE * everybody.get(item, 0.0)) / weight
            scores[item] = scores.get(item, 0.0) + share / len(seen)
            if item in own and share > lifts.get(item, (everybody.get(item, 0.0), ""))[0]:
                lifts[item] = (share, name)
    return [
        Pooled(item, share, None, "popular", lifts[item][1] if item in lifts else None)
        for item, share in _best(scores, exclude)
    ]


def by_content(found: Iterable[tuple[Taken, Sequence[tuple[str, float]]]]) -> list[Pooled]:
    """Lists of similar items of several that were taken -> one, best first; each item once, with its best reason."""
    best: dict[str, Pooled] = {}
    for place, (taken, scored) in enumerate(found):
        for item, score in scored:
            weighed = score / (1 + place)
            if item not in best or weighed > best[item].score:
                best[item] = Pooled(item, weighed, taken.item, "similar")
    return sorted(best.values(), key=lambda each: (-each.score, each.item))


def joined(meant: Sequence[Pooled], alike: Sequence[Pooled], rest: Iterable[Pooled]) -> list[Pooled]:
    """Every third one by content, then the rest: each item once, where it comes first."""
    pool: dict[str, Pooled] = {}
    first, second = iter(meant), iter(alike)
    for place in range(1, 1 + (len(meant) + len(alike) if alike else 0)):
        turns = (second, first) if place % _EVERY == 0 else (first, second)
        each = next(turns[0], None) or next(turns[1], None)
        if each:
            pool.setdefault(each.item, each)
    for each in first:
        pool.setdefault(each.item, each)
    for each in rest:
        pool.setdefault(each.item, each)
    return list(pool.values())


def _best(scores: Mapping[str, float], exclude: Collection[str]) -> list[tuple[str, float]]:
    left = [(item, score) for item, score in scores.items() if item not in exclude]
    return sorted(left, key=lambda each: (-each[1], each[0]))
