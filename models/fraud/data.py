"""Transactions in time order, and their labels as they arrive -> the rows that serving would have seen.

The replay folds every transaction and label into the same History, and reads the same Frame, as the deployed functions.
"""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from functions.fraud.features import FEATURES, Frame
from functions.fraud.history import History, tag_of

COLUMNS = ("TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD")
OPTIONAL = ("TX_FRAUD_SCENARIO", "LABEL_TIME")
NEVER = 2**32 - 1
RATIO = FEATURES.index("card_profile_ratio")
_CHUNK = 1000


def read(path: Path) -> pd.DataFrame:
    """Transactions sorted by time. Raises ValueError with the missing columns' names."""
    return prepare(pd.read_parquet(path))


def prepare(transactions: pd.DataFrame) -> pd.DataFrame:
    """Keep the known columns, sorted by time, with `time` in unix seconds and `amount` in minor units."""
    missing = [column for column in COLUMNS if column not in transactions]
    if missing:
        raise ValueError(f"columns missing: {', '.join(missing)}")
    kept = transactions[[*COLUMNS, *(column for column in OPTIONAL if column in transactions)]]
    kept = kept.sort_values(["TX_DATETIME", "TRANSACTION_ID"], kind="stable").reset_index(drop=True)
    kept["time"] = _seconds(kept["TX_DATETIME"])
    kept["amount"] = (kept["TX_AMOUNT"] * 100).round().astype(np.int64)
    return kept


def known_at(transactions: pd.DataFrame, delay_days: float) -> NDArray[np.int64]:
    """When each label becomes known: LABEL_TIME (missing: NEVER), or without that column time plus delay."""
    fixed = transactions["time"].to_numpy() + round(delay_days * 86400)
    if "LABEL_TIME" not in transactions:
        return fixed
    given = transactions["LABEL_TIME"]
    return np.where(given.isna(), NEVER, _seconds(given.fillna(transactions["TX_DATETIME"])))


class Replayed(NamedTuple):
    """rows: float32 [transactions before the end, len(FEATURES)]. The histories as they stand at the end."""

    rows: NDArray[np.float32]
    cards: dict[Any, History]
    terminals: dict[Any, History]


def features(transactions: pd.DataFrame, known: NDArray[np.int64]) -> NDArray[np.float32]:
    """float32 [rows, len(FEATURES)] of prepared transactions, each as of its own time; `known` from known_at()."""
    return replayed(transactions, known).rows


def replayed(transactions: pd.DataFrame, known: NDArray[np.int64], until: int | None = None) -> Replayed:
    """Fold prepared transactions before `until` (unix seconds; None: all), and the labels that are known by then.

    Histories are by the values of CUSTOMER_ID and TERMINAL_ID.
    """
    if until is not None:
        kept = transactions["time"].to_numpy() < until
        transactions, known = transactions[kept], known[kept]
    cards: dict[Any, History] = {}
    terminals: dict[Any, History] = {}
    rows = np.empty((len(transactions), len(FEATURES)), np.float32)
    tags = [tag_of(str(transaction)) for transaction in transactions["TRANSACTION_ID"]]
    times, amounts = transactions["time"].tolist(), transactions["amount"].tolist()
    card_ids, terminal_ids = transactions["CUSTOMER_ID"].tolist(), transactions["TERMINAL_ID"].tolist()
    frauds = np.flatnonzero(transactions["TX_FRAUD"].to_numpy() == 1)
    arrivals = [(int(known[row]), int(row)) for row in frauds[np.argsort(known[frauds], kind="stable")]]
    arrivals.reverse()

    def learn() -> None:
        learned, fraud = arrivals.pop()
        terminals[terminal_ids[fraud]].label(tags[fraud], times[fraud], learned, True, float(rows[fraud, RATIO]))

    frame, done = Frame(), 0
    for row, (tag, time, amount) in enumerate(zip(tags, times, amounts, strict=True)):
        while arrivals and arrivals[-1][0] <= time:
            if arrivals[-1][1] >= done:  # a label within the hour: its row is still waiting
                rows[done:row], done, frame = frame.matrix(), row, Frame()
            learn()
        card = cards.setdefault(card_ids[row], History())
        terminal = terminals.setdefault(terminal_ids[row], History())
        frame.append(time, amount, card, terminal)
        card.add(tag, time, amount)
        terminal.add(tag, time, amount)
        if len(frame) == _CHUNK:
            rows[done : row + 1] = frame.matrix()
            frame, done = Frame(), row + 1
    rows[done:] = frame.matrix()
    while until is not None and arrivals and arrivals[-1][0] <= until:
        learn()
    return Replayed(rows, cards, terminals)


def digest(transactions: pd.DataFrame) -> str:
    """SHA-256 of the model's raw input, whatever file format it came in."""
    hashes = pd.util.hash_pandas_object(transactions[list(COLUMNS)], index=False).to_numpy()
    return hashlib.sha256(hashes.tobytes()).hexdigest()


def _seconds(column: pd.Series) -> NDArray[np.int64]:
    moments = pd.to_datetime(column)
    if moments.dt.tz is not None:
        moments = moments.dt.tz_convert("UTC").dt.tz_localize(None)
    return moments.to_numpy("datetime64[s]").astype(np.int64)
