"""Transactions -> the handbook's 15 features and its XGBoost: what ours is measured against, never deployed.

Rolling windows as in chapter 3 of the Fraud Detection Handbook: a card's own transactions including the current one, a
terminal's transactions and fraud rate before the feedback delay.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from xgboost import XGBClassifier

DAY = 86400
WINDOW_DAYS = (1, 7, 30)


def features(transactions: pd.DataFrame, delay_days: int) -> NDArray[np.float32]:
    """float32 [rows, 15] of prepared transactions."""
    time, amount = transactions["time"].to_numpy(), transactions["TX_AMOUNT"].to_numpy(np.float64)
    fraud = transactions["TX_FRAUD"].to_numpy(np.float64)
    columns = [amount, (time // DAY + 3) % 7 >= 5, time % DAY < 7 * 3600]
    for days in WINDOW_DAYS:
        count, total = _windows(transactions["CUSTOMER_ID"], time, amount, days * DAY, 0)
        columns += [count, total / count]
    for days in WINDOW_DAYS:
        count, frauds = _windows(transactions["TERMINAL_ID"], time, fraud, days * DAY, delay_days * DAY)
        columns += [count, frauds / np.maximum(count, 1)]
    return np.stack(columns, axis=1).astype(np.float32)


def model(seed: int = 0) -> XGBClassifier:
    """The book's choice of parameters, with the exact splits and the base score of the XGBoost that it used."""
    return XGBClassifier(
        n_estimators=100,
        learning_rate=0.1,
        max_depth=3,
        tree_method="exact",
        base_score=0.5,
        n_jobs=1,
        random_state=seed,
    )


def _windows(key: pd.Series, time: NDArray, value: NDArray, width: int, delay: int) -> tuple[NDArray, NDArray]:
    """Per row: count and sum of `value` over its key's rows in (time - delay - width, time - delay]."""
    codes, _ = pd.factorize(key)
    order = np.lexsort((time, codes))
    keys = codes[order].astype(np.int64) * (1 << 33) + time[order]
    sums = np.concatenate(([0.0], np.cumsum(value[order])))
    low = keys.searchsorted(keys - delay - width, "right")
    high = keys.searchsorted(keys - delay, "right")
    start = keys.searchsorted(codes[order].astype(np.int64) * (1 << 33))
    low, high = np.maximum(low, start), np.maximum(high, start)
    count, total = np.empty(len(time)), np.empty(len(time))
    count[order], total[order] = high - low, sums[high] - sums[low]
    return count, total
