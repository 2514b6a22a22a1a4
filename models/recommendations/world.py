"""A seed -> a shop and people who want, look at lists and choose: what a demo or a test plays, one person at a time.

    world = World(seed=7, people=3000)
    who = world.newcomer(0)                        # somebody without a history
    world.wants(who, day)                          # exact probabilities of the next wish [items]
    world.share(who, ["camping-...", ...], day)    # how much of them a list holds: its expected hit rate
    item = world.next_wanted(who, rng, day)        # one wish
    item = world.chooses(who, list, rng, day)      # what is chosen from a list, or None
    world.takes(who, item)                         # the person has it now: wishes move on

No model is told anything of it: a model sees the interactions that come out.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.recommendations import tastes
from models.recommendations.shop import CHANGED, shop

NOTHING = 0.06
"""Weight of choosing nothing beside the probabilities of what a list shows."""
PATIENCE = 0.12
"""How much less each next place is looked at."""


class World:
    """Shop, people and what each has taken. People from `people` on are newcomers, who are in no history."""

    def __init__(self, seed: int = 7, people: int = 3000, newcomers: int = 500) -> None:
        self.seed, self.residents = seed, people
        self.shop = shop(seed)
        self.place = self.shop.place
        self.crowd = tastes.people(self.shop, people + newcomers, seed)
        self.last = np.full(people + newcomers, -1)
        self.seen = np.zeros((people + newcomers, len(self.shop.ids)), np.bool_)

    def newcomer(self, number: int) -> int:
        """A person without a history. Raises IndexError when there are not so many."""
        if not 0 <= number < len(self.last) - self.residents:
            raise IndexError(f"there are {len(self.last) - self.residents} newcomers")
        return self.residents + number

    def wants(self, who: int, day: float = CHANGED) -> NDArray[np.float64]:
        """float64 [items], sum 1: probability of each item to be wanted next by person `who`."""
        every = np.arange(len(self.shop.lines))
        one = np.full(len(every), who)
        when = np.full(len(every), float(day))
        items = self.shop.by_line
        inside = tastes.within(
            self.shop, self.crowd, one, every, when, self.last[one], self.seen[one[:, None], items] & (items >= 0)
        )
        line = tastes.lines(self.shop, self.crowd, one[:1], when[:1], self.last[one[:1]])[0]
        found = np.zeros(len(self.shop.ids))
        np.add.at(found, items[items >= 0], (inside * line[:, None])[items >= 0])
        return found / found.sum()

    def share(self, who: int, items: Iterable[str], day: float = CHANGED) -> float:
        """Probability that the next wish is among these items; unknown ones count nothing."""
        places = sorted({self.place[item] for item in items if item in self.place})
        return float(self.wants(who, day)[places].sum())

    def next_wanted(self, who: int, rng: np.random.Generator, day: float = CHANGED) -> str:
        """One wish."""
        return self.shop.ids[int(rng.choice(len(self.shop.ids), p=self.wants(who, day)))]

    def chooses(self, who: int, items: Sequence[str], rng: np.random.Generator, day: float = CHANGED) -> str | None:
        """What is chosen from a list, best places seen first; None where nothing tempts. Takes nothing yet."""
        if not items:
            return None
        wanted = self.wants(who, day)
        looked = (1 - PATIENCE) ** np.arange(len(items))
        weights = np.array([wanted[self.place[item]] if item in self.place else 0.0 for item in items]) * looked
        odds = np.append(weights, NOTHING) / (weights.sum() + NOTHING)
        chosen = int(rng.choice(len(odds), p=odds))
        return items[chosen] if chosen < len(items) else None

    def takes(self, who: int, item: str) -> None:
        """The person has dealt with the item: it is hardly wanted again, and what goes with it is wanted more."""
        self.last[who] = self.place[item]
        self.seen[who, self.place[item]] = True
