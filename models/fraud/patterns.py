"""Population + genuine purchases + a budget of frauds -> fraudulent purchases, one function for each way of stealing.

A pattern spends its budget (an expected number of fraudulent purchases) on incidents at random cards, terminals and
times. Only `compromised_terminal` turns genuine purchases into frauds; the others add purchases that nobody wanted.
Some frauds are blatant, some hide among the card's usual purchases: no rule on one column separates them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from models.fraud.population import Population

HOUR, DAY = 3600, 86_400


class Scenario(IntEnum):
    """Value of TX_FRAUD_SCENARIO; 0 is a genuine purchase."""

    GENUINE = 0
    IMPLAUSIBLE_AMOUNT = 1
    COMPROMISED_TERMINAL = 2
    LEAKED_CARD = 3
    CARD_TESTING = 4
    ACCOUNT_TAKEOVER = 5
    MIMICRY = 6


@dataclass
class Purchases:
    """Rows as arrays [n]: seconds since the first midnight, card and terminal index, currency units, Scenario."""

    time: np.ndarray
    card: np.ndarray
    terminal: np.ndarray
    amount: np.ndarray
    scenario: np.ndarray


Pattern = Callable[[np.random.Generator, Population, int, float], Purchases]


def _incidents(rng: np.random.Generator, budget: float, mean_size: float) -> int:
    """Number of incidents whose expected number of purchases is the budget."""
    return int(budget / mean_size + rng.random())


def _expand(
    rng: np.random.Generator, people: Population, n: int, low: int, high: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of n incidents with low..high purchases each: incident and card of every purchase, and the incidents' cards."""
    victims = rng.integers(0, people.cards, n)
    incident = np.repeat(np.arange(n), rng.integers(low, high + 1, n))
    return incident, victims[incident], victims


def _rows(
    time: np.ndarray, card: np.ndarray, terminal: np.ndarray, amount: np.ndarray, scenario: Scenario
) -> Purchases:
    return Purchases(time.astype(np.int64), card, terminal, amount, np.full(len(time), scenario, np.int8))


def implausible_amount(rng: np.random.Generator, people: Population, seconds: int, budget: float) -> Purchases:
    """One or two purchases 5 to 15 times the card's usual amount, in daytime, at any terminal of the home town."""
    incident, card, victims = _expand(rng, people, _incidents(rng, budget, 1.5), 1, 2)
    day = rng.integers(0, max(1, seconds // DAY), len(victims))
    time = day[incident] * DAY + rng.uniform(8, 23, len(card)) * HOUR
    terminal = people.terminals_in(rng, people.town[card])
    amount = people.amounts(rng, card, terminal) * rng.uniform(5, 15, len(card))
    return _rows(time, card, terminal, amount, Scenario.IMPLAUSIBLE_AMOUNT)


def leaked_card(rng: np.random.Generator, people: Population, seconds: int, budget: float) -> Purchases:
    """Card data sold: for 1 to 14 days, 4 to 14 online purchases at 2 to 6 times the usual amount."""
    incident, card, victims = _expand(rng, people, _incidents(rng, budget, 9), 4, 14)
    start, length = rng.uniform(0, seconds, len(victims)), rng.uniform(1, 14, len(victims)) * DAY
    time = start[incident] + length[incident] * rng.random(len(card))
    # A thief keeps to a few shops; half of the purchases go to the first of them.
    shops = people.shops(rng, len(victims) * 3).reshape(-1, 3)
    terminal = shops[incident, np.maximum(0, rng.integers(-1, 3, len(card)))]
    amount = people.amounts(rng, card, terminal) * rng.uniform(2, 6, len(card))
    return _rows(time, card, terminal, amount, Scenario.LEAKED_CARD)


def card_testing(rng: np.random.Generator, people: Population, seconds: int, budget: float) -> Purchases:
    """3 to 9 tiny online payments within 20 minutes to see whether the card lives, then 1 to 3 dear ones."""
    n = _incidents(rng, budget, 8)
    incident, card, _ = _expand(rng, people, n, 4, 12)
    start = rng.uniform(0, seconds, n)
    rank = np.arange(len(incident)) - np.searchsorted(incident, incident)
    dear = rank < rng.integers(1, 4, n)[incident]
    wait = np.where(dear, rng.uniform(0.5, 10, len(card)) * HOUR, rng.uniform(0, HOUR / 3, len(card)))
    tested, spent = people.shops(rng, n), people.shops(rng, n)
    terminal = np.where(dear, spent[incident], tested[incident])
    tiny = rng.uniform(0.5, 4, len(card))
    amount = np.where(dear, people.amounts(rng, card, terminal) * rng.uniform(2, 7, len(card)), tiny)
    return _rows(start[incident] + wait, card, terminal, amount, Scenario.CARD_TESTING)


def account_takeover(rng: np.random.Generator, people: Population, seconds: int, budget: float) -> Purchases:
    """On 1 to 3 nights in a row, purchases between 23 and 5 o'clock in a town where the card never was."""
    incident, card, victims = _expand(rng, people, _incidents(rng, budget, 6), 3, 9)
    away = people.elsewhere(rng, victims)
    evening = rng.integers(0, max(1, seconds // DAY), len(victims)) * DAY + 23 * HOUR
    nights = rng.integers(1, 4, len(victims))
    night = (rng.random(len(card)) * nights[incident]).astype(np.int64)
    time = evening[incident] + night * DAY + rng.uniform(0, 6, len(card)) * HOUR
    terminal = people.terminals_in(rng, away[incident])
    amount = people.amounts(rng, card, terminal) * rng.uniform(0.8, 3, len(card))
    return _rows(time, card, terminal, amount, Scenario.ACCOUNT_TAKEOVER)


def mimicry(rng: np.random.Generator, people: Population, seconds: int, budget: float) -> Purchases:
    """A thief who knows the owner: 2 to 5 ordinary amounts at ordinary hours, over a week. Hard to see at all."""
    incident, card, victims = _expand(rng, people, _incidents(rng, budget, 3.5), 2, 5)
    start = rng.uniform(0, seconds, len(victims)) // DAY
    day = start[incident] + rng.integers(0, 7, len(card))
    time = day * DAY + rng.uniform(9, 22, len(card)) * HOUR
    terminal = people.terminals_in(rng, people.town[card])
    amount = people.amounts(rng, card, terminal) * rng.uniform(1, 1.8, len(card))
    return _rows(time, card, terminal, amount, Scenario.MIMICRY)


def compromise_terminals(
    rng: np.random.Generator, people: Population, genuine: Purchases, seconds: int, budget: float
) -> None:
    """In place: for 14 to 45 days, 40 to 95 % of a physical terminal's payments are manipulated, often upwards."""
    terminals = len(people.price)
    start = rng.uniform(-14 * DAY, seconds, terminals)
    end = start + rng.uniform(14, 45, terminals) * DAY
    intensity = rng.uniform(0.4, 0.95, terminals)
    where = genuine.terminal
    inside = np.flatnonzero((genuine.time >= start[where]) & (genuine.time < end[where]))
    hit = inside[rng.random(len(inside)) < intensity[where[inside]]]
    frauds = np.bincount(where[hit], minlength=terminals)
    # Terminals in random order until the budget is spent; none so busy that it would be the whole budget.
    order = rng.permutation(people.by_town)
    order = order[frauds[order] <= max(3.0, budget / 3)]
    chosen = np.zeros(terminals, bool)
    chosen[order[: int(np.searchsorted(np.cumsum(frauds[order]), budget, side="right"))]] = True
    hit = hit[chosen[where[hit]]]
    genuine.scenario[hit] = Scenario.COMPROMISED_TERMINAL
    genuine.amount[hit] *= rng.lognormal(0.25, 0.35, len(hit))


# Pattern -> its share of all frauds; compromised terminals take the rest.
ADDED: dict[Pattern, float] = {
    implausible_amount: 0.12,
    leaked_card: 0.24,
    card_testing: 0.16,
    account_takeover: 0.16,
    mimicry: 0.07,
}


def commit_frauds(
    rng: np.random.Generator, people: Population, genuine: Purchases, seconds: int, budget: float
) -> list[Purchases]:
    """Spend `budget` frauds on all patterns; returns genuine (partly compromised, in place) and the added purchases."""
    compromise_terminals(rng, people, genuine, seconds, budget * (1 - sum(ADDED.values())))
    return [genuine, *(pattern(rng, people, seconds, budget * share) for pattern, share in ADDED.items())]
