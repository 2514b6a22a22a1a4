"""What a user took -> the items that suit best: what every ranker keeps to, whoever runs the model."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable


class Taken(NamedTuple):
    """Something that the user interacted with, and how many days ago (0 or more; the newest counts most)."""

    item: str
    age_days: float


class Ranked(NamedTuple):
    """Best first, all of one length, never an excluded item; at most k, fewer where there is no more to recommend.

    scores: finite, not increasing, of no common unit between rankers. because: the item of what was taken that speaks
    most for this one; None where none does, or the ranker cannot tell.
    """

    items: list[str]
    scores: list[float]
    because: list[str | None]


class Ranker(Protocol):
    """A model of one version, in this process or behind a service; items that it does not know are skipped."""

    @property
    def version(self) -> str:
        """Of the model that answered last; what is written beside every list."""
        ...

    def rank(self, user_id: str, taken: Sequence[Taken], exclude: Collection[str], k: int) -> Ranked:
        """The k best. taken: newest first, may be empty: then what suits everybody. k: 1 or more.

        Raises Unavailable (try again), ModelMismatch or Refused (a wrong model, name or grant).
        """
        ...

    def knows(self, item: str) -> bool:
        """Can the model say something about it? True where only the service could tell."""
        ...


@runtime_checkable
class Counting(Protocol):
    """A ranker that can tell how popular an item was when it was trained."""

    def popularity(self, item: str) -> float | None:
        """Interactions in training; None where it cannot tell."""
        ...

    def favourites(self) -> Mapping[str, float]:
        """The most popular items of the training, with their share of all its interactions; empty if it cannot tell."""
        ...


@runtime_checkable
class Relating(Protocol):
    """A ranker that can say what goes with an item, whoever asks.

    In its lists, what has no reason stands there for its popularity alone; one that only knows users gives none.
    """

    def similar(self, item: str, k: int) -> Ranked:
        """The k best for somebody who took just this item, without it. Raises what rank raises."""
        ...
