"""Training == serving: the deployed handler stores the vectors that training computes from the same arrivals."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from functions.fraud.features import FEATURES
from functions.fraud.history import CAPACITY
from models.fraud import data
from models.fraud.simulator import Simulation, simulate
from tests.emulator.deployed import name, rfc3339
from tests.emulator.suite import Suite, features, transaction

DAYS = 60
SEED = 11
ROWS = 500


def arrivals(run: str) -> pd.DataFrame:
    """Simulated purchases of few cards, ending now, some of them up to 40 places late."""
    start = (datetime.now(UTC) - timedelta(days=DAYS)).date()
    rows = simulate(Simulation(days=DAYS, customers=4, terminals=4, seed=SEED, start=start.isoformat()))
    rows = rows[pd.to_datetime(rows["TX_DATETIME"]) < datetime.now(UTC).replace(tzinfo=None)].tail(ROWS)
    for column, prefix in (("TRANSACTION_ID", "t"), ("CUSTOMER_ID", "c"), ("TERMINAL_ID", "p")):
        rows[column] = f"{run}-{prefix}-" + rows[column].astype(str)
    rows["TX_FRAUD"] = 0  # labels have a path of their own: test_labels.py
    prepared = data.prepare(rows)
    rng = np.random.default_rng(SEED)
    late = rng.random(len(prepared)) < 0.1
    place = np.arange(len(prepared)) + np.where(late, rng.integers(1, 40, len(prepared)), 0)
    return prepared.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


def test_a_stream_replayed_has_the_vectors_of_training(suite: Suite) -> None:
    rows = arrivals(name("s"))
    sent = [
        transaction(
            transaction_id=row.TRANSACTION_ID,
            card_id=row.CUSTOMER_ID,
            terminal_id=row.TERMINAL_ID,
            amount=row.amount,
            time=rfc3339(datetime.fromtimestamp(row.time, UTC)),
        )
        for row in rows.itertuples()
    ]
    rng = np.random.default_rng(SEED)
    delivered = list(sent)
    for position in sorted(rng.integers(0, len(sent), len(sent) // 10), reverse=True):
        delivered.insert(min(len(delivered), position + int(rng.integers(1, 30))), sent[position])

    # One partition key: one shard, so that the order of arrival is the order of this list.
    suite.put(*delivered, key="in-order")
    decisions = suite.decided(sent)

    served = np.stack([features(decisions[each["transaction_id"]]) for each in sent])
    trained = data.features(rows, data.known_at(rows, 7))
    wrong = {FEATURES[at] for at in np.flatnonzero((served != trained).any(axis=0))}
    assert not wrong
    assert rows["CUSTOMER_ID"].value_counts().max() > CAPACITY, "the stream must be long enough for buckets"
    assert (rows["time"].diff() < 0).sum() > 10, "the stream must be out of order"
