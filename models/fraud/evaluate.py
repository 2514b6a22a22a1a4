"""Scores and labels -> the figures of the Fraud Detection Handbook (Le Borgne et al.), and calibration."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

DAY = 86400


@dataclass(frozen=True)
class Window:
    """Days of the handbook's protocol: train, then wait for labels, then test."""

    start: pd.Timestamp
    train_days: int = 7
    delay_days: int = 7
    test_days: int = 7

    @property
    def first_day(self) -> int:
        """Days since 1970-01-01, as the rows' time // DAY."""
        return int(self.start.normalize().timestamp()) // DAY

    @property
    def first_test_day(self) -> int:
        """Train days and delay days after the first."""
        return self.first_day + self.train_days + self.delay_days


def split(transactions: pd.DataFrame, window: Window) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row numbers of the training and the test set.

    A card is out of the test set once it is known to be compromised: it had a fraud in the training days, or one since
    then that is older than delay_days on the day of the test. That is the handbook's rule; frauds before the training
    days do not count.
    """
    day = transactions["time"].to_numpy() // DAY
    fraud = transactions["TX_FRAUD"].to_numpy() == 1
    cards = transactions["CUSTOMER_ID"].to_numpy()
    train = np.flatnonzero((day >= window.first_day) & (day < window.first_day + window.train_days))
    kept = []
    for test_day in range(window.first_test_day, window.first_test_day + window.test_days):
        seen = (
            fraud
            & (day >= window.first_day)
            & (day < max(test_day - window.delay_days, window.first_day + window.train_days))
        )
        rows = np.flatnonzero(day == test_day)
        kept.append(rows[~np.isin(cards[rows], cards[seen])])
    return train, np.concatenate(kept)


def card_precision(
    day: NDArray[np.int64], card: NDArray, fraud: NDArray[np.bool_], score: NDArray, k: int = 100
) -> float:
    """CP@k: of the k cards with the day's highest scores, the share with a fraud that day; mean over the days.

    Compromised cards that were found leave the days after, as they would be blocked.
    """
    found: set[object] = set()
    precisions = []
    for today in np.unique(day):
        rows = pd.DataFrame({"card": card, "fraud": fraud, "score": score})[day == today]
        cards = rows[~rows["card"].isin(found)].groupby("card").max()
        top = cards.sort_values("score", ascending=False, kind="stable").head(k)
        hits = top.index[top["fraud"]]
        found.update(hits)
        precisions.append(len(hits) / k)
    return float(np.mean(precisions))


def figures(transactions: pd.DataFrame, score: NDArray, k: int = 100) -> dict[str, float]:
    """roc_auc, average_precision and card_precision_100 of scored transactions."""
    fraud = transactions["TX_FRAUD"].to_numpy() == 1
    day, card = transactions["time"].to_numpy() // DAY, transactions["CUSTOMER_ID"].to_numpy()
    return {
        "roc_auc": float(roc_auc_score(fraud, score)),
        "average_precision": float(average_precision_score(fraud, score)),
        f"card_precision_{k}": card_precision(day, card, fraud, score, k),
    }


def calibration(fraud: NDArray[np.bool_], score: NDArray, bins: int = 10) -> dict[str, float]:
    """Brier score, and expected calibration error over bins of equal size."""
    order = np.argsort(score, kind="stable")
    error = sum(abs(fraud[part].mean() - score[part].mean()) * len(part) for part in np.array_split(order, bins))
    return {"brier": float(np.mean((score - fraud) ** 2)), "ece": float(error / len(score))}
