"""A shop and a seed -> people with tastes that no model is told: ways of life, price, brands, and what comes next.

A way of life is a handful of lines of several categories that go together, which no field of the catalogue says. A
person has one and some of a second. At the change, some people take up another one, and those that are rising lead to
the lines that are launched then. What somebody wants next is drawn from exact probabilities, so that a list can be
judged by the share of them that it holds, without the noise of single choices.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.recommendations.assortment import COUNTRIES, DEVICES
from models.recommendations.shop import CHANGED, Shop

Floats = NDArray[np.float64]

WAYS, RISING, LINES_OF_A_WAY = 24, 8, 6
FIRST_SHARE, SECOND_SHARE = 0.6, 0.25
"""Of a person's interest in a first and a second way of life; the rest is for anything."""
OWN = 0.4
"""Shape of what is a person's own within a way of life: the less, the more people of one way differ."""
SWAPPED_SHARE, LAUNCHED = 0.5, 0.3
"""Of the people, who take up a rising way of life at the change; of its interest, what a launched line gets."""
STAYS = 0.15
"""How much of the next wish goes to the line of the last one."""
NEXT, LATER, BEFORE = 1.6, 0.8, -0.5
"""Log of how much more the next part of a line is wanted after one, those after it, and those before it."""
PRICE_WIDTH, BRAND, NOVELTY, NOVELTY_DAYS, SEEN = 0.8, 1.0, 0.8, 10.0, -5.0


@dataclass(frozen=True)
class People:
    """Arrays alike in length. before, after [people, lines]: shares of interest, before and after the change.

    level: the tier of price that suits; brand: the one that is liked; rate: visits a day; country, device: numbers.
    """

    ids: list[str]
    before: Floats
    after: Floats
    level: Floats
    brand: NDArray[np.int64]
    rate: Floats
    country: NDArray[np.int64]
    device: NDArray[np.int64]

    def interests(self, who: NDArray[np.int64], day: Floats) -> Floats:
        """[m, lines] of person who[m] on day[m]."""
        changed = np.asarray(day) >= CHANGED
        return np.where(changed[:, None], self.after[who], self.before[who])

    def context(self, who: int) -> dict[str, str]:
        """What the shop sees of a visit."""
        return {"country": COUNTRIES[self.country[who]], "device": DEVICES[self.device[who]]}


def people(shop: Shop, count: int, seed: int) -> People:
    """The ways of life depend on the seed alone, not on how many people there are."""
    rng = np.random.default_rng([seed, 2])
    lines = len(shop.lines)
    ways = _ways(rng, shop)
    risen, by_country = ways.copy(), np.exp(rng.normal(0, 0.9, (len(COUNTRIES), WAYS)))
    fame = np.where(shop.launched, 0, rng.lognormal(0, 0.7, lines))
    for number, line in enumerate(np.flatnonzero(shop.launched)):
        for way in {number % RISING, (3 * number + 1) % RISING}:
            risen[way] *= 1 - LAUNCHED
            risen[way, line] += LAUNCHED
    crowd = np.random.default_rng([seed, 3, count])
    country = crowd.choice(len(COUNTRIES), count, p=(0.34, 0.22, 0.2, 0.12, 0.12))
    odds = by_country[country] / by_country[country].sum(axis=1, keepdims=True)
    first, second = _drawn(crowd, odds), _drawn(crowd, odds)
    own = crowd.gamma(OWN, size=(count, lines))
    later = np.where(crowd.random(count) < SWAPPED_SHARE, crowd.integers(0, RISING, count), first)

    def mixed(table: Floats, one: NDArray[np.int64]) -> Floats:
        rest = (1 - FIRST_SHARE - SECOND_SHARE) * fame / fame.sum()
        found = (FIRST_SHARE * table[one] + SECOND_SHARE * table[second] + rest) * own
        return found / found.sum(axis=1, keepdims=True)

    return People(
        ids=[f"person-{number:05d}" for number in range(count)],
        before=mixed(ways, first),
        after=mixed(risen, later),
        level=crowd.normal(0, 0.8, count),
        brand=crowd.integers(0, len(shop.brands), count),
        rate=crowd.lognormal(np.log(0.1), 0.6, count),
        country=country,
        device=crowd.choice(len(DEVICES), count, p=(0.6, 0.32, 0.08)),
    )


def _ways(rng: np.random.Generator, shop: Shop) -> Floats:
    """[ways, lines]; of the lines that are there from the beginning."""
    old = np.flatnonzero(~shop.launched)
    table = np.zeros((WAYS, len(shop.lines)))
    # Every line belongs to some way of life before one belongs to two.
    deck = np.concatenate([rng.permutation(old), rng.permutation(old)])[: WAYS * LINES_OF_A_WAY]
    for way in range(WAYS):
        for line in deck[way * LINES_OF_A_WAY : (way + 1) * LINES_OF_A_WAY]:
            table[way, line] += rng.gamma(2.0)
    return table / table.sum(axis=1, keepdims=True)


def _drawn(rng: np.random.Generator, odds: Floats) -> NDArray[np.int64]:
    found: NDArray[np.int64] = (odds.cumsum(axis=1) < rng.random(len(odds))[:, None]).sum(axis=1)
    return np.minimum(found, odds.shape[1] - 1)


def within(  # noqa: PLR0913, PLR0917 - who wants something, when and after what
    shop: Shop,
    crowd: People,
    who: NDArray[np.int64],
    line: NDArray[np.int64],
    day: Floats,
    last: NDArray[np.int64],
    seen: NDArray[np.bool_],
) -> Floats:
    """[m, most]: probabilities of the items shop.by_line[line[m]] for person who[m], if that line is wanted.

    last: number of the item taken before, -1 for none; seen [m, most]: taken already. Rows of lines that have nothing
    yet are zeros.
    """
    items = shop.by_line[line]
    day = np.asarray(day)[:, None]
    there = (items >= 0) & (shop.added[items] <= day) & (shop.sold_out[items] > day)
    utility = shop.appeal[items] - ((shop.tier[items] - crowd.level[who][:, None]) / PRICE_WIDTH) ** 2 / 2
    utility += BRAND * (shop.brand[items] == crowd.brand[who][:, None])
    utility += NOVELTY * np.exp(-np.maximum(day - shop.added[items], 0) / NOVELTY_DAYS)
    ahead = shop.part[items] - shop.part[last][:, None]
    same = ((last >= 0) & (shop.line[last] == line))[:, None]
    utility += np.where(same, np.select([ahead == 1, ahead > 1, ahead < 0], [NEXT, LATER, BEFORE], 0.0), 0.0)
    utility += SEEN * seen
    weight = np.where(there, np.exp(utility), 0.0)
    total = weight.sum(axis=1, keepdims=True)
    return np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)


def lines(shop: Shop, crowd: People, who: NDArray[np.int64], day: Floats, last: NDArray[np.int64]) -> Floats:
    """[m, lines]: probability that the next wish of person who[m] is in a line; zero where nothing is there yet."""
    odds = crowd.interests(who, day)
    open_at = np.where(shop.launched, CHANGED + 3.0, -np.inf)
    odds = odds * (open_at[None, :] <= np.asarray(day)[:, None])
    odds = odds / odds.sum(axis=1, keepdims=True)
    stayed = last >= 0
    odds[stayed] *= 1 - STAYS
    odds[stayed, shop.line[last[stayed]]] += STAYS
    return odds
