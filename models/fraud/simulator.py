"""Days, cards, terminals, seed -> a table of card purchases with frauds, and when each fraud would have become known.

    python -m models.fraud.simulator --days 120 --customers 5000 --seed 7 --out transactions.parquet

Genuine purchases follow each card's own rate, hours, haunts, budget and trips, with weekday and time-of-day seasons and
the odd shopping spree; models.fraud.patterns adds the frauds. One numpy Generator, no loop over rows.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from models.fraud.patterns import DAY, HOUR, Purchases, Scenario, commit_frauds
from models.fraud.population import Population, populate

WEEKDAY = np.array([0.92, 0.92, 0.96, 1.02, 1.18, 1.22, 0.78])  # Monday first; mean 1
# Three bells of a day: share, hour and standard deviation in hours; the rest of the purchases falls at any hour.
BELLS = ((0.22, 8.6, 1.3), (0.34, 12.8, 1.7), (0.40, 18.4, 2.1))
SPREE_SHARE, NOVELTY_SHARE, TRIPS_A_DAY = 0.012, 0.05, 1 / 90
HEALED_SHARE, NEVER_SHARE, CHECKED_SHARE = 0.35, 0.10, 0.004
MAX_LABEL_DAYS = 60.0


@dataclass(frozen=True)
class Simulation:
    """What to simulate. `fraud_rate` is the expected share of frauds among the rows; `start` a UTC midnight."""

    days: int = 120
    customers: int = 5000
    terminals: int = 5000
    seed: int = 7
    start: str = "2026-01-01"
    fraud_rate: float = 0.008


def _hours(rng: np.random.Generator, people: Population, card: np.ndarray) -> np.ndarray:
    """Time of day of each purchase, hours in [0, 24)."""
    shares, centres, widths = (np.array(column) for column in zip(*BELLS, strict=True))
    bell = np.searchsorted(shares.cumsum(), rng.random(len(card)))
    any_hour = bell == len(BELLS)
    bell[any_hour] = 0
    hours = centres[bell] + people.shift[card] + widths[bell] * rng.standard_normal(len(card))
    hours[any_hour] = rng.uniform(0, 24, int(any_hour.sum()))
    return hours % 24


def _trips(rng: np.random.Generator, people: Population, days: int) -> np.ndarray:
    """[cards, days] town where the card is travelling, -1 at home."""
    away = np.full((people.cards, days), -1, np.int16)
    n = rng.poisson(people.cards * days * TRIPS_A_DAY)
    traveller = rng.integers(0, people.cards, n)
    destination = people.elsewhere(rng, traveller)
    length = rng.integers(2, 11, n)
    trip = np.repeat(np.arange(n), length)
    day = rng.integers(0, days, n)[trip] + np.arange(len(trip)) - np.searchsorted(trip, trip)
    inside = day < days
    away[traveller[trip[inside]], day[inside]] = destination[trip[inside]]
    return away


def _genuine(rng: np.random.Generator, people: Population, first_weekday: int, days: int) -> Purchases:
    season = WEEKDAY[(first_weekday + np.arange(days)) % 7]
    counts = rng.poisson(people.rate[:, None] * season)
    cell = np.repeat(np.arange(counts.size), counts.ravel())
    card, day = np.divmod(cell, days)
    terminal = people.habitual(rng, card)
    novel = np.flatnonzero(rng.random(len(card)) < NOVELTY_SHARE)
    terminal[novel] = people.terminals_in(rng, people.town[card[novel]])
    destination = _trips(rng, people, days).ravel()[cell]
    travelling = np.flatnonzero(destination >= 0)
    terminal[travelling] = people.terminals_in(rng, destination[travelling].astype(np.int64))
    amount = people.amounts(rng, card, terminal)
    spree = np.flatnonzero(rng.random(len(card)) < SPREE_SHARE)
    amount[spree] *= rng.uniform(2.5, 8, len(spree))
    when = day * DAY + (_hours(rng, people, card) * HOUR).astype(np.int64)
    return Purchases(when, card, terminal, amount, np.zeros(len(card), np.int8))


def _label_delay(rng: np.random.Generator, fraud: np.ndarray) -> np.ndarray:
    """Seconds [n] until a purchase's label is known, NaN for never.

    A fraud is noticed by the card's owner within three days (35 %), comes back as a chargeback after days to weeks
    (55 %) or is never reported (10 %). Of the genuine purchases few are ever checked: no news is good news.
    """
    delay = np.full(len(fraud), np.nan)
    rows = np.flatnonzero(fraud)
    chargeback = np.clip(rng.lognormal(np.log(9), 0.6, len(rows)), 3, MAX_LABEL_DAYS)
    noticed = rng.uniform(0.05, 3, len(rows))
    fate = rng.random(len(rows))
    days = np.where(fate < HEALED_SHARE, noticed, chargeback)
    delay[rows] = np.where(fate < 1 - NEVER_SHARE, days * DAY, np.nan)
    checked = np.flatnonzero(~fraud & (rng.random(len(fraud)) < CHECKED_SHARE))
    delay[checked] = rng.uniform(0.1, 10, len(checked)) * DAY
    return delay


def simulate(what: Simulation) -> pd.DataFrame:
    """The purchases in order of time, reproducible from `what` alone.

    Columns: TRANSACTION_ID (position in time), TX_DATETIME (UTC, naive, whole seconds), CUSTOMER_ID, TERMINAL_ID,
    TX_AMOUNT (currency units, two decimals), TX_FRAUD, TX_FRAUD_SCENARIO (never a feature) and LABEL_TIME: when the
    truth becomes known, NaT if never; before that, nobody may use TX_FRAUD. Raises ValueError for sizes below one day,
    one card or four terminals and for a fraud rate outside 0..0.5.
    """
    if what.days < 1 or not 0 <= what.fraud_rate <= 0.5:
        raise ValueError(f"need at least one day and a fraud rate within 0..0.5: {what}")
    rng = np.random.default_rng(what.seed)
    start = np.datetime64(what.start, "s")
    people = populate(rng, what.customers, what.terminals)
    seconds = what.days * DAY
    genuine = _genuine(rng, people, int(start.astype("datetime64[D]").astype(int) + 3) % 7, what.days)
    parts = commit_frauds(rng, people, genuine, seconds, what.fraud_rate * len(genuine.time))
    when = np.concatenate([part.time for part in parts])
    # Shuffled before the stable sort: among equal seconds, the order tells nothing.
    order = rng.permutation(np.flatnonzero(when < seconds))
    order = order[np.argsort(when[order], kind="stable")]
    when = when[order]
    scenario = np.concatenate([part.scenario for part in parts])[order]
    fraud = scenario != Scenario.GENUINE
    delay = _label_delay(rng, fraud)
    known = start + np.nan_to_num(when + delay).astype("timedelta64[s]")
    known[np.isnan(delay)] = np.datetime64("NaT")
    amount = np.concatenate([part.amount for part in parts])[order]
    return pd.DataFrame(
        {
            "TRANSACTION_ID": np.arange(len(when), dtype=np.int64),
            "TX_DATETIME": (start + when.astype("timedelta64[s]")).astype("datetime64[ns]"),
            "CUSTOMER_ID": np.concatenate([part.card for part in parts])[order].astype(np.int32),
            "TERMINAL_ID": np.concatenate([part.terminal for part in parts])[order].astype(np.int32),
            "TX_AMOUNT": np.clip(amount, 0.1, 20_000).round(2),
            "TX_FRAUD": fraud.astype(np.int8),
            "TX_FRAUD_SCENARIO": scenario,
            "LABEL_TIME": known.astype("datetime64[ns]"),
        }
    )


def main() -> None:
    """Command line: simulate and write one parquet file."""
    parser = argparse.ArgumentParser(prog="python -m models.fraud.simulator", description=str(__doc__).split("\n")[0])
    parser.add_argument("--days", type=int, default=Simulation.days)
    parser.add_argument("--customers", type=int, default=Simulation.customers, help="number of cards")
    parser.add_argument("--terminals", type=int, help="number of terminals (default: as many as customers)")
    parser.add_argument("--seed", type=int, default=Simulation.seed)
    parser.add_argument("--start", default=Simulation.start, help="first day, YYYY-MM-DD, UTC")
    parser.add_argument("--fraud-rate", type=float, default=Simulation.fraud_rate, help="expected share of frauds")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.parquet")
    given = parser.parse_args()
    started = time.perf_counter()
    table = simulate(
        Simulation(
            given.days, given.customers, given.terminals or given.customers, given.seed, given.start, given.fraud_rate
        )
    )
    took = time.perf_counter() - started
    table.to_parquet(given.out, index=False)
    print(  # noqa: T201 - the command's answer
        f"{len(table):,} purchases, {int(table.TX_FRAUD.sum()):,} frauds ({table.TX_FRAUD.mean():.2%}) "
        f"in {took:.1f} s ({len(table) / took * 60 / 1e6:.0f} million rows a minute) -> {given.out}"
    )


if __name__ == "__main__":
    main()
