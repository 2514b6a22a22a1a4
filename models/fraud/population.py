"""Sizes + seed -> who spends where: cards with homes, habits and budgets, terminals with places, prices and popularity.

Everything is an array: a card or a terminal is an index, distances are kilometres, amounts are natural logarithms of
currency units, times of day are hours.
"""

from dataclasses import dataclass

import numpy as np

TOWN_KM, WALK_KM = 6.0, 5.0  # spread of homes and terminals; how fast the appeal of a terminal falls with distance
NEAR, SHOPS = 24, 6  # terminals of its town that a card visits; online shops that it knows
ONLINE_SHARE = 0.08


@dataclass(frozen=True)
class Population:
    """`cards` customers and their terminals; every array's first axis is the card or the terminal."""

    rate: np.ndarray  # [cards] purchases on an average day
    typical: np.ndarray  # [cards] log of the typical amount
    spread: np.ndarray  # [cards] standard deviation of the log amount
    shift: np.ndarray  # [cards] hours by which this card's day is earlier or later than others'
    town: np.ndarray  # [cards] home town
    haunts: np.ndarray  # [cards, k] terminals that the card uses
    habit: np.ndarray  # [cards, k] cumulated probability of each haunt, last column 1
    price: np.ndarray  # [terminals] log of the price level
    by_town: np.ndarray  # [physical terminals] indices, grouped by town
    first: np.ndarray  # [towns + 1] where a town's group starts in `by_town`
    online: np.ndarray  # [online terminals] indices, most visited first
    popularity: np.ndarray  # [online terminals] cumulated probability, last 1

    @property
    def cards(self) -> int:
        """Number of cards."""
        return len(self.rate)

    @property
    def towns(self) -> int:
        """Number of towns."""
        return len(self.first) - 1

    def terminals_in(self, rng: np.random.Generator, towns: np.ndarray) -> np.ndarray:
        """One random physical terminal in each of the given towns."""
        size = self.first[towns + 1] - self.first[towns]
        return self.by_town[self.first[towns] + (rng.random(len(towns)) * size).astype(np.int64)]

    def shops(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """`count` online terminals, drawn by popularity."""
        return self.online[np.searchsorted(self.popularity, rng.random(count))]

    def elsewhere(self, rng: np.random.Generator, cards: np.ndarray) -> np.ndarray:
        """For each card a town that is not its home (its home if there is only one town)."""
        return (self.town[cards] + rng.integers(1, max(2, self.towns), len(cards))) % self.towns

    def habitual(self, rng: np.random.Generator, cards: np.ndarray) -> np.ndarray:
        """For each card one of its haunts, drawn by habit. Fastest when `cards` is sorted."""
        # One sorted axis for all cards: card c owns the interval (c, c + 1].
        axis = (self.habit + np.arange(self.cards)[:, None]).ravel()
        chosen = np.searchsorted(axis, cards + rng.random(len(cards)) * (1 - 1e-12))
        return self.haunts.ravel()[np.minimum(chosen, axis.size - 1)]

    def amounts(self, rng: np.random.Generator, cards: np.ndarray, terminals: np.ndarray) -> np.ndarray:
        """What each card would pay at each terminal, in currency units, not rounded."""
        noise = rng.standard_normal(len(cards)) * self.spread[cards]
        return np.exp(self.typical[cards] + self.price[terminals] + noise)


def populate(rng: np.random.Generator, cards: int, terminals: int) -> Population:
    """Draw a population. Raises ValueError for fewer than 1 card or 4 terminals."""
    if cards < 1 or terminals < 4:
        raise ValueError(f"a population needs at least 1 card and 4 terminals, not {cards} and {terminals}")
    n_online = max(2, round(terminals * ONLINE_SHARE))
    n_physical = terminals - n_online
    # Indices are shuffled, so that a terminal's number tells nothing about its kind.
    order = rng.permutation(terminals)
    online, physical = order[:n_online], order[n_online:]

    n_towns = int(np.clip(n_physical // 15, 1, 40))
    weight = rng.pareto(1.5, n_towns) + 0.5  # few large towns, many small ones
    terminal_town = rng.choice(n_towns, n_physical, p=weight / weight.sum())
    terminal_town[:n_towns] = np.arange(n_towns)  # no town without a terminal
    town = rng.choice(n_towns, cards, p=weight / weight.sum())
    grouped = np.argsort(terminal_town, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(terminal_town, minlength=n_towns))])

    # Places relative to the town's centre: nobody walks from town to town.
    terminal_at = rng.normal(0, TOWN_KM, (n_physical, 2))
    home = rng.normal(0, TOWN_KM, (cards, 2))
    size = (first[town + 1] - first[town])[:, None]
    near = grouped[first[town][:, None] + (rng.random((cards, NEAR)) * size).astype(np.int64)]
    distance = np.hypot(*np.moveaxis(terminal_at[near] - home[:, None, :], 2, 0))
    attraction = rng.lognormal(0, 1, n_physical)
    near_weight = attraction[near] * np.exp(-distance / WALK_KM) * rng.gamma(0.5, 1, (cards, NEAR))
    popularity = np.sort(rng.pareto(1.1, n_online) + 0.1)[::-1].cumsum()
    popularity /= popularity[-1]
    known = online[np.searchsorted(popularity, rng.random((cards, SHOPS)))]
    online_share = rng.beta(1.5, 5, (cards, 1))
    known_weight = rng.gamma(0.7, 1, (cards, SHOPS)) + 1e-9
    near_weight = (1 - online_share) * near_weight / (near_weight.sum(1, keepdims=True) + 1e-300)
    known_weight = online_share * known_weight / known_weight.sum(1, keepdims=True)
    habit = np.concatenate([near_weight, known_weight], axis=1).cumsum(1)
    habit /= habit[:, -1:]

    return Population(
        rate=np.clip(rng.gamma(2.2, 0.8, cards), 0.1, 9.0),
        typical=rng.normal(3.1, 0.55, cards),
        spread=rng.uniform(0.35, 0.8, cards),
        shift=np.where(rng.random(cards) < 0.04, rng.uniform(5, 9, cards), rng.normal(0, 0.9, cards)),
        town=town,
        haunts=np.concatenate([physical[near], known], axis=1),
        habit=habit,
        price=rng.normal(0, 0.4, terminals),
        by_town=physical[grouped],
        first=first,
        online=online,
        popularity=popularity,
    )
