"""New items with what is known of them, a list's id -> the one that is tried, with the probability of each choice.

Thompson sampling (Chapelle and Li 2011): an item's click rate is drawn from its Beta posterior, the best draw wins. The
probability to win has no closed form, so it is made one: DRAWS winners are drawn first, and the item is then chosen by
their shares, which are exact and go into the log. Everything follows from the list's id.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from functions.recommendations.lists import Candidate
from functions.recommendations.shelves import NewItem

DRAWS = 64
EVEN = 0.1
"""Of the probability is shared evenly, so that each candidate has some: an estimate from logs divides by it."""
MOST = 40
"""Candidates of one list, a sample of the new items where there are more."""
PRIOR_CLICKS, PRIOR_SHOWN = 1.0, 20.0
"""What a new item is taken to have had before anybody saw it: one click in twenty."""


class Tried(NamedTuple):
    """The chosen item, and all that could have been, with probabilities that add up to 1."""

    chosen: Candidate
    candidates: tuple[Candidate, ...]


def explores(list_id: str, share: float) -> bool:
    """Is this one of the lists that try something new?"""
    return int.from_bytes(blake2b(list_id.encode(), digest_size=8).digest(), "big") < share * 2**64


def sample(list_id: str, new: Sequence[NewItem]) -> list[NewItem]:
    """At most MOST of the new items, evenly chosen."""
    if len(new) <= MOST:
        return list(new)
    places = _chance(list_id, 0).choice(len(new), MOST, replace=False)
    return [new[place] for place in sorted(places.tolist())]


def tried(list_id: str, new: Sequence[NewItem]) -> Tried | None:
    """The item to try; None if there is none."""
    if not new:
        return None
    chance = _chance(list_id, 1)
    clicks = np.array([each.clicks for each in new], np.float64)
    shown = np.array([max(each.impressions, each.clicks) for each in new], np.float64)  # a client may tell clicks only
    rates = chance.beta(PRIOR_CLICKS + clicks, PRIOR_SHOWN - PRIOR_CLICKS + shown - clicks, (DRAWS, len(new)))
    wins = np.bincount(rates.argmax(axis=1), minlength=len(new)) / DRAWS
    shares = (1 - EVEN) * wins + EVEN / len(new)
    candidates = tuple(Candidate(each.item, share) for each, share in zip(new, shares.tolist(), strict=True))
    return Tried(candidates[int(chance.choice(len(new), p=shares))], candidates)


def _chance(list_id: str, purpose: int) -> np.random.Generator:
    return np.random.default_rng([purpose, *list_id.encode()])
