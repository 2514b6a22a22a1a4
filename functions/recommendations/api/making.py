"""A person, a ranker, the sources -> the list for this person: ranked, checked against the catalogue, guarded, mixed.

The shadow model's list is made by the same function, so that the two can be compared.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cuatro.ranking import Counting, Ranker, Relating, Taken
from functions.recommendations.api.sources import Sources
from functions.recommendations.catalogue import Entry, same_category, similar
from functions.recommendations.diversity import counted, guarded, mixed
from functions.recommendations.person import Person
from functions.recommendations.rank import Pooled, by_content, general, joined, new_to_the_model, personal, popular
from functions.recommendations.shelves import ALL, NEW, in_category, in_context

POPULAR = "popular"
"""The version of lists that no model had a say in."""
NOBODY = "?"
"""A name that no user can have."""
_ROUNDS = 3
"""So often the ranker is asked, each time for twice as many, where much of what it gave cannot be shown."""
_ALIKE = 50
"""Items by content that are looked at."""


class Made(NamedTuple):
    """items: best first, nothing left to chance. version: of the model that ranked, or POPULAR. entries: as read."""

    items: list[Pooled]
    version: str
    entries: dict[str, Entry | None]


@dataclass(frozen=True)
class Maker:
    """What is the same for the live model's list and the shadow's. size: of the list.

    live: the live model, which is asked what is popular where no shelf tells, also for lists that no model ranks.
    """

    person: Person
    sources: Sources
    size: int
    live: Ranker | None

    @staticmethod
    def shelves(context: Mapping[str, str]) -> list[str]:
        """Keys of the shelves that lists of a context begin with."""
        return [ALL, NEW, *(in_context(key, value) for key, value in context.items())]

    def made(self, ranker: Ranker | None) -> Made:
        """None: popular items only. Raises what the ranker raises."""
        sources, policy, person = self.sources, self.sources.policy, self.person
        known = ranker is not None and any(ranker.knows(each.item) for each in person.taken)
        favourites = None if known else self._popular()
        alike = self._by_content(new_to_the_model(person.taken, ranker)) if ranker else []
        most, hidden = max(policy.candidates, self.size), set[str]()
        pool: list[Pooled] = []
        meant: list[Pooled] = []
        entries: dict[str, Entry | None] = {}
        for _ in range(_ROUNDS):
            # Who the model does not know is better served by what is popular now; if that is too little, it is asked.
            enough = favourites is not None and sum(each.item not in hidden for each in favourites) >= self.size
            asked = ranker if known else None if enough else ranker or self.live
            meant, rest = self._ranked(asked, known, hidden, most)
            if len(meant) + len(alike) < most:  # else they would not be looked at
                favourites = self._popular() if favourites is None else favourites
                rest = [*favourites, *rest]
            never = person.exclude | hidden  # whatever a ranker behind a service thinks of it
            pool = [each for each in joined(meant, alike, rest) if each.item not in never][:most]
            reasons = {each.because for each in pool[: self.size] if each.because}
            entries |= sources.entries([*(each.item for each in pool), *reasons])
            gone = {each.item for each in pool if not sources.may_be_shown(each.item, entries)}
            pool = [each for each in pool if each.item not in gone]
            hidden |= gone
            if not gone or len(pool) >= self.size:
                break
            most *= 2
        if policy.popularity_guard:
            pool = guarded(pool, _popularity(ranker, counted(sources.popular(ALL))), policy.popularity_guard)
        categories = {item: found.category for item, found in entries.items() if found}
        items = mixed(pool, categories, policy.diversity, self.size)
        return Made(items, ranker.version if ranker and meant else POPULAR, entries)

    def _popular(self) -> list[Pooled]:
        sources, context = self.sources, self.person.context
        prior: Mapping[str, float] = self.live.favourites() if isinstance(self.live, Counting) else {}
        everybody = general(sources.popular(ALL), prior, sources.policy.prior_mass)
        where = {f"{key}={value}": sources.popular(in_context(key, value)) for key, value in context.items()}
        return popular(everybody, where, self.person.exclude)

    def _ranked(
        self, ranker: Ranker | None, known: bool, hidden: set[str], most: int
    ) -> tuple[list[Pooled], list[Pooled]]:
        """What the ranker means for this person, and what it gives for its popularity alone."""
        if ranker is None:
            return [], []
        person = self.person
        never = person.exclude | hidden
        if not known:  # what suits everybody; also for an arm without a model, which may not see its users' taste
            ranked = ranker.rank(NOBODY, [], never, most)
            return [], [
                Pooled(item, score, None, "popular") for item, score in zip(ranked.items, ranked.scores, strict=True)
            ]
        ranked = ranker.rank(person.user_id, person.taken, never, most)
        return personal(ranked, reasons=isinstance(ranker, Relating))

    def _by_content(self, unknown: list[Taken]) -> list[Pooled]:
        if not unknown:
            return []
        sources = self.sources
        known = sources.entries([each.item for each in unknown])
        of = [(each, found) for each in unknown if (found := known.get(each.item)) and found.category]
        sources.begin(None, {in_category(found.category) for _, found in of if found.category})
        return by_content((each, likes(found, sources, self.person.exclude)) for each, found in of)


def likes(to: Entry, sources: Sources, exclude: frozenset[str]) -> list[tuple[str, float]]:
    """Items of the same category that may be shown, by tags and popularity. Its shelf is read already."""
    if to.category is None:
        return []
    found = same_category(to.category, sources.popular(in_category(to.category)), sources.new())
    best = dict(sorted(found.items(), key=lambda each: -each[1])[:_ALIKE])
    entries = sources.entries(best)
    told = {item: entry for item, entry in entries.items() if entry}
    return [each for each in similar(to, best, told, exclude) if sources.may_be_shown(each[0], entries)]


def _popularity(ranker: Ranker | None, otherwise: Callable[[str], float]) -> Callable[[str], float]:
    """By the counts of the model's training, where it tells them."""
    if not isinstance(ranker, Counting):
        return otherwise
    counts = ranker.popularity

    def popularity(item: str) -> float:
        count = counts(item)
        return otherwise(item) if count is None else max(1.0, count)

    return popularity
