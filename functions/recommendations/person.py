"""A profile and the policy -> what lists need to know of a user: what was taken, and what is not to be shown."""

from collections.abc import Mapping
from typing import NamedTuple

from cuatro.ranking import Taken
from functions.recommendations.features import taken
from functions.recommendations.policy import Policy
from functions.recommendations.profile import Profile

_DAY_MS = 86_400_000


class Person(NamedTuple):
    """taken: newest first, without what was disliked. kinds: how each item was taken last, or that it was bought.

    context: of this request.
    """

    user_id: str
    taken: list[Taken]
    exclude: frozenset[str]
    kinds: Mapping[str, str]
    context: Mapping[str, str]


def person(user_id: str, profile: Profile | None, policy: Policy, context: Mapping[str, str], now: float) -> Person:
    """profile: None where nothing is known. now: unix seconds.

    Not to be shown: what was bought or disliked, as long as the profile knows it, and what was seen in exclude_days.
    """
    if profile is None:
        return Person(user_id, [], frozenset(), {}, context)
    since = now * 1000 - policy.exclude_days * _DAY_MS
    seen = {each.item for each in profile.entries if each.time_ms >= since}
    bought = {each.item for each in profile.purchases}
    disliked = {each.item for each in profile.ratings if each.value is not None and each.value < policy.disliked_below}
    kinds = {each.item: each.kind for each in profile.entries} | {each.item: each.kind for each in profile.purchases}
    return Person(
        user_id, taken(profile, now, policy.disliked_below), frozenset(seen | bought | disliked), kinds, context
    )
