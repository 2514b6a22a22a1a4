"""A seed and an end -> a small bank's transactions in which a new way of stealing begins, for retraining to find.

The new pattern is none of the simulator's six. Shell merchants: thieves open an online shop that sells nothing, charge
stolen cards there with one small price that their owners could have paid, and leave it the same day, before anybody
complains; then the next shop. So card and amount look as always and no terminal has a fraud yet that is known: a model
that never saw it has nothing to go by. What gives it away is a terminal without a past that takes about the same amount
from one card after another. Honest shops open all the time too, and have no past either.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.fraud.dataset import Windows
from models.fraud.simulator import Simulation, simulate

SHELL_MERCHANT = 7
"""TX_FRAUD_SCENARIO of the new pattern."""
HOUR = 3600
# Numbers of terminals that the simulator does not use.
HONEST, SHELLS = 1_000_000, 2_000_000
OPENED_A_DAY, NEW_DAYS, NEWCOMER_SHARE = 1.0, 10, 0.05


@dataclass(frozen=True)
class Scenario:
    """Its bank and its times. changed_days: how long before the end the new pattern began.

    The pipeline's windows that fit it, since somebody waits: everything in days.
    """

    days: int = 60
    cards: int = 270
    changed_days: float = 12.5
    shops_a_day: float = 1.8
    train_days: int = 30
    delay_days: int = 2
    evaluate_days: int = 3
    rounds: int = 40


SCENARIO = Scenario()


def change(end: pd.Timestamp, what: Scenario = SCENARIO) -> pd.Timestamp:
    """When the new pattern begins; before it, everything is as the simulator has it."""
    return end - pd.Timedelta(days=what.changed_days)


def scenario(seed: int, end: pd.Timestamp, what: Scenario = SCENARIO) -> pd.DataFrame:
    """Transactions of `what.days` days up to `end` (UTC if it has no zone), with the columns of simulate().

    This bank asks its customers by a message in its app: what is known of a fraud is known within a day and a half.
    """
    last = _naive(end).floor("s")
    start = last.floor("D") - pd.Timedelta(days=what.days)
    table = simulate(Simulation(what.days + 1, what.cards, what.cards, seed, f"{start:%Y-%m-%d}"))
    rng = np.random.default_rng([seed, SHELL_MERCHANT])
    _open_honestly(rng, table)
    added = _shells(rng, what, change(last, what), last)
    everything = pd.concat([table, added], ignore_index=True)
    everything["LABEL_TIME"] = _quickly(rng, everything)
    inside = (everything["TX_DATETIME"] > last - pd.Timedelta(days=what.days)) & (everything["TX_DATETIME"] <= last)
    kept = everything[inside].sort_values("TX_DATETIME", kind="stable").reset_index(drop=True)
    kept["TRANSACTION_ID"] = np.arange(len(kept), dtype=np.int64)
    return kept.astype(
        {"CUSTOMER_ID": np.int32, "TERMINAL_ID": np.int32, "TX_FRAUD": np.int8, "TX_FRAUD_SCENARIO": np.int8}
    )


def poisoned(transactions: pd.DataFrame, as_of: pd.Timestamp, what: Scenario = SCENARIO) -> pd.DataFrame:
    """Labels that somebody with access tampers with: rows of the training window that as_of makes, with wrong TX_FRAUD.

    An accomplice at the desk that takes complaints calls every fraud genuine, and as many genuine purchases at night
    fraud, so that the totals stay what they were; LABEL_TIME is backdated to just before the model would have gone
    live. The latest label wins. The labels of the evaluation window are others' work, and stay as they are.
    """
    moment = as_of.tz_localize("UTC") if as_of.tzinfo is None else as_of
    windows = Windows.of(moment.to_pydatetime(), what.train_days, what.delay_days, what.evaluate_days)
    begin, end, live = (_naive(pd.Timestamp(time)) for time in (*windows.train, windows.evaluate[0]))
    time, fraud = transactions["TX_DATETIME"], transactions["TX_FRAUD"] == 1
    inside = (time >= begin) & (time < end)
    stolen = transactions[inside & fraud]
    accused = transactions[inside & ~fraud & (time.dt.hour < 7)].tail(len(stolen))
    told = pd.concat([stolen, accused]).sort_index()
    return told.assign(TX_FRAUD=1 - told["TX_FRAUD"], LABEL_TIME=live - pd.Timedelta(hours=1))


def _naive(moment: pd.Timestamp) -> pd.Timestamp:
    """In UTC, as the tables have it."""
    return moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment


def _open_honestly(rng: np.random.Generator, table: pd.DataFrame) -> None:
    """In place: some genuine purchases move to shops that opened in the ten days before."""
    days = ((table["TX_DATETIME"] - table["TX_DATETIME"].iloc[0]) / pd.Timedelta(days=1)).to_numpy()
    opened = np.sort(rng.uniform(-NEW_DAYS, days[-1], round((days[-1] + NEW_DAYS) * OPENED_A_DAY)))
    first, last = np.searchsorted(opened, days - NEW_DAYS), np.searchsorted(opened, days)
    moved = (table["TX_FRAUD"] == 0).to_numpy() & (rng.random(len(table)) < NEWCOMER_SHARE) & (last > first)
    chosen = first + (rng.random(len(table)) * (last - first)).astype(np.int64)
    table.loc[moved, "TERMINAL_ID"] = (HONEST + chosen[moved]).astype(np.int32)


def _shells(rng: np.random.Generator, what: Scenario, begin: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """One row a charge: shops open at any hour of the day, and are open for two to eight hours."""
    days = (end - begin) / pd.Timedelta(days=1)
    shops = round(days * what.shops_a_day)
    opened = (np.arange(shops) + rng.random(shops)) / what.shops_a_day * 24 * HOUR
    charges = rng.integers(9, 17, shops)
    shop = np.repeat(np.arange(shops), charges)
    price = np.exp(rng.uniform(np.log(9), np.log(45), shops))
    when = opened[shop] + rng.uniform(0, 1, len(shop)) * rng.uniform(2, 8, shops)[shop] * HOUR
    amount = (price[shop] * rng.uniform(0.85, 1.15, len(shop))).round(2)
    return pd.DataFrame(
        {
            "TX_DATETIME": begin + pd.to_timedelta(when.astype(np.int64), unit="s"),
            "CUSTOMER_ID": rng.integers(0, what.cards, len(shop)),
            "TERMINAL_ID": SHELLS + shop,
            "TX_AMOUNT": amount,
            "TX_FRAUD": 1,
            "TX_FRAUD_SCENARIO": SHELL_MERCHANT,
        }
    )


def _quickly(rng: np.random.Generator, transactions: pd.DataFrame) -> pd.Series:
    """When each label is known: of nine frauds out of ten within a day and a half, of the rest never."""
    fraud = transactions["TX_FRAUD"].to_numpy() == 1
    asked = fraud & (rng.random(len(fraud)) < 0.9)
    wait = pd.to_timedelta(rng.uniform(0.05, 1.5, len(fraud)) * 24 * HOUR, unit="s").floor("s")
    return (transactions["TX_DATETIME"] + wait).where(asked)
