"""Split and figures are the Fraud Detection Handbook's, on examples small enough to count by hand."""

import numpy as np
import pandas as pd
import pytest

from functions.fraud.history import DAY
from models.fraud.evaluate import Window, card_precision, figures, split


def table(*events: tuple[int, int, int]) -> pd.DataFrame:
    """(day, card, fraud) -> transactions."""
    return pd.DataFrame(
        [(day * DAY + 5, card, fraud) for day, card, fraud in events], columns=["time", "CUSTOMER_ID", "TX_FRAUD"]
    )


def test_cards_known_to_be_compromised_leave_the_test() -> None:
    window = Window(pd.Timestamp(0), train_days=7, delay_days=7, test_days=7)
    transactions = table(
        (3, 1, 1),  # compromised in training
        (7, 2, 1),  # known on day 14 + 1
        (5, 3, 0), (12, 3, 1),  # fraud too young all the time but on the last day
        (14, 1, 0), (14, 2, 0), (15, 2, 0), (19, 3, 0), (20, 3, 0), (21, 3, 0),
    )  # fmt: skip
    training, test = split(transactions, window)
    assert transactions.loc[training, ["time", "CUSTOMER_ID"]].to_numpy().tolist() == [
        [3 * DAY + 5, 1],
        [5 * DAY + 5, 3],
    ]
    kept = [(int(time) // DAY, int(card)) for time, card in transactions.loc[test, ["time", "CUSTOMER_ID"]].to_numpy()]
    assert kept == [(14, 2), (19, 3)]


def test_card_precision_counts_each_found_card_once() -> None:
    day = np.array([0, 0, 0, 0, 1, 1])
    card = np.array([1, 1, 2, 3, 1, 3])
    fraud = np.array([False, True, False, True, True, True])
    probability = np.array([0.1, 0.9, 0.8, 0.2, 0.9, 0.3])
    # Day 0: cards 1 and 2, one hit. Day 1: card 1 is gone, card 3 alone: one hit of two.
    assert card_precision(day, card, fraud, probability, k=2) == pytest.approx(0.5)


def test_figures_of_a_perfect_score() -> None:
    transactions = table((0, 1, 0), (0, 2, 1), (1, 3, 0), (1, 4, 1))
    found = figures(transactions, np.array([0.1, 0.9, 0.2, 0.8]), k=1)
    assert found == {"roc_auc": 1, "average_precision": 1, "card_precision_1": 1}
