"""POLICY (JSON) -> how lists are made, checked; and the same with the changes of an experiment's arm."""

from functools import cache
from typing import Annotated, Literal

import msgspec

from functions.recommendations.experiment import EVERYBODY, Arm, Experiment, Share

Days = Annotated[float, msgspec.Meta(gt=0, le=3650)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=86_400)]
MAX_LIST = 100


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How lists are made. Shares are between 0 and 1, 0 switches off; days and seconds as the names say.

    diversity: how far an item may give way to one of a category that the list has less of (see diversity).
    popularity_guard: exponent of an item's popularity that its score is divided by.
    explore_share, explore_slot: of lists that show a new item at this place (1 is the first).
    exclude_days: what was seen since is not shown again; what was bought never, as long as the profile knows it.
    contexts: keys whose values have popular lists of their own; the only ones that `?context=` takes.
    prior_mass: what is popular begins as it was in the model's training, which weighs as much as so many interactions.
    half_life_days: of popularity. new_days: for so long an item is new. disliked_below: ratings that do not count.
    missing: items that the catalogue does not have. candidates: so many are ranked before anything is left out.
    pages: so many pages of k are stored with a list. list_fresh_s: for so long a client that asks again with its ETag
    keeps its list, unless the user did something. list_cache_s, similar_cache_s: max-age of the answers.
    catalogue_cache_s, shelf_cache_s: for so long this process trusts what it read (an item just sold out may be shown).
    """

    ranker: Literal["model", "popular"] = "model"
    diversity: Share = 0.1
    popularity_guard: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.0
    explore_share: Share = 0.1
    explore_slot: Annotated[int, msgspec.Meta(ge=1, le=MAX_LIST)] = 5
    exclude_days: Annotated[float, msgspec.Meta(ge=0, le=3650)] = 30
    contexts: tuple[str, ...] = ("country", "device", "page")
    prior_mass: Annotated[float, msgspec.Meta(ge=0)] = 200
    half_life_days: Days = 7
    new_days: Days = 14
    disliked_below: Annotated[float, msgspec.Meta(ge=0, le=5)] = 2.5
    missing: Literal["show", "hide"] = "show"
    candidates: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    pages: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    list_days: Days = 14
    profile_days: Days = 400
    list_cache_s: Seconds = 0
    list_fresh_s: Seconds = 60
    similar_cache_s: Seconds = 300
    catalogue_cache_s: Seconds = 30
    shelf_cache_s: Seconds = 10
    experiment: Experiment = EVERYBODY

    @classmethod
    def from_json(cls, text: str) -> "Policy":
        """Raises msgspec.ValidationError, which names the field; also for a field of an arm's changes."""
        policy = msgspec.json.decode(text, type=cls)
        for arm in policy.experiment.arms:
            policy.changed_by(arm)
        return policy

    def changed_by(self, arm: Arm) -> "Policy":
        """The policy of an arm. Raises msgspec.ValidationError."""
        if "experiment" in arm.changes:
            raise msgspec.ValidationError(f"an arm cannot change the experiment - at `$.{arm.name}`")
        return msgspec.convert({**msgspec.to_builtins(self), **arm.changes}, Policy)


class Policies(msgspec.Struct, frozen=True):
    """whole: as configured, what holds for everybody. of_arm: by the arm's name."""

    whole: Policy
    of_arm: dict[str, Policy]


@cache
def policies(text: str) -> Policies:
    """Of POLICY, parsed once. Raises msgspec.ValidationError."""
    whole = Policy.from_json(text)
    return Policies(whole, {arm.name: whole.changed_by(arm) for arm in whole.experiment.arms})
