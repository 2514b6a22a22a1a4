"""The simulator keeps its promises: reproducible, plausible, every fraud pattern present, nothing told too early."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from models.fraud.patterns import Scenario
from models.fraud.simulator import MAX_LABEL_DAYS, Simulation, simulate

WORLD = Simulation(days=70, customers=800, terminals=800, seed=3)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return simulate(WORLD)


@pytest.fixture(scope="module")
def frauds(table: pd.DataFrame) -> pd.DataFrame:
    return table[table.TX_FRAUD == 1]


def test_the_same_seed_gives_the_same_table_and_another_seed_another(table: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(table, simulate(WORLD))
    other = simulate(Simulation(days=70, customers=800, terminals=800, seed=4))
    assert not table.TX_AMOUNT.head(1000).equals(other.TX_AMOUNT.head(1000))


def test_columns_and_types(table: pd.DataFrame) -> None:
    assert {name: str(kind) for name, kind in table.dtypes.items()} == {
        "TRANSACTION_ID": "int64",
        "TX_DATETIME": "datetime64[ns]",
        "CUSTOMER_ID": "int32",
        "TERMINAL_ID": "int32",
        "TX_AMOUNT": "float64",
        "TX_FRAUD": "int8",
        "TX_FRAUD_SCENARIO": "int8",
        "LABEL_TIME": "datetime64[ns]",
    }
    assert table.TX_DATETIME.between("2026-01-01", "2026-03-11 23:59:59").all()
    assert table.TX_AMOUNT.between(0.1, 20_000).all()
    assert np.allclose(table.TX_AMOUNT * 100, (table.TX_AMOUNT * 100).round())
    assert table.CUSTOMER_ID.nunique() > 790
    assert table.TERMINAL_ID.between(0, 799).all()


def test_volume_seasons_and_prevalence(table: pd.DataFrame) -> None:
    assert 1.4 < len(table) / (70 * 800) < 2.2
    assert 0.005 < table.TX_FRAUD.mean() < 0.01
    genuine = table[table.TX_FRAUD == 0]
    by_hour = genuine.groupby(genuine.TX_DATETIME.dt.hour).size()
    assert by_hour.loc[1:4].mean() < 0.25 * by_hour.loc[11:19].mean()
    assert (by_hour > 0).all()
    by_weekday = genuine.groupby(genuine.TX_DATETIME.dt.dayofweek).size()
    assert by_weekday.idxmax() == 5
    assert by_weekday.idxmin() == 6


def test_cards_differ_and_keep_their_habits(table: pd.DataFrame) -> None:
    cards = table[table.TX_FRAUD == 0].groupby("CUSTOMER_ID")
    typical = np.log(cards.TX_AMOUNT.median())
    assert typical.std() > 0.4
    favourite = cards.TERMINAL_ID.agg(lambda seen: seen.value_counts(normalize=True).iloc[0])
    assert favourite.median() > 0.15
    assert cards.size().quantile(0.9) > 3 * cards.size().quantile(0.1)


def test_every_pattern_is_there_and_looks_as_described(table: pd.DataFrame, frauds: pd.DataFrame) -> None:
    share = frauds.TX_FRAUD_SCENARIO.value_counts(normalize=True)
    assert set(share.index) == {int(scenario) for scenario in Scenario} - {0}
    assert (share > 0.03).all()
    usual = table[table.TX_FRAUD == 0].groupby("CUSTOMER_ID").TX_AMOUNT.median()
    ratio = (frauds.TX_AMOUNT / frauds.CUSTOMER_ID.map(usual)).groupby(frauds.TX_FRAUD_SCENARIO).median()
    assert ratio[Scenario.IMPLAUSIBLE_AMOUNT] > 4
    assert 2 < ratio[Scenario.LEAKED_CARD] < 8
    assert ratio[Scenario.MIMICRY] < 3
    takeover = frauds[frauds.TX_FRAUD_SCENARIO == Scenario.ACCOUNT_TAKEOVER].TX_DATETIME.dt.hour
    assert set(takeover) <= {23, 0, 1, 2, 3, 4}
    testing = frauds[(frauds.TX_FRAUD_SCENARIO == Scenario.CARD_TESTING) & (frauds.TX_AMOUNT <= 4)]
    burst = testing.groupby("CUSTOMER_ID").TX_DATETIME.diff().dt.total_seconds()
    assert burst.median() < 600


def test_a_compromised_terminal_is_risky_and_then_recovers(table: pd.DataFrame, frauds: pd.DataFrame) -> None:
    skimmed = frauds[frauds.TX_FRAUD_SCENARIO == Scenario.COMPROMISED_TERMINAL]
    spans = skimmed.groupby("TERMINAL_ID").TX_DATETIME.agg(["min", "max", "size"])
    assert (spans["max"] - spans["min"]).max() <= pd.Timedelta(45, "D")
    rates = []
    for terminal, span in spans[spans["size"] >= 5].iterrows():
        inside = table[(terminal == table.TERMINAL_ID) & table.TX_DATETIME.between(span["min"], span["max"])]
        rates.append(inside.TX_FRAUD.mean())
    assert len(rates) >= 3
    assert np.median(rates) > 0.4


def test_labels_come_later_and_not_all_of_them(table: pd.DataFrame, frauds: pd.DataFrame) -> None:
    delay = (table.LABEL_TIME - table.TX_DATETIME).dropna().dt.total_seconds() / 86_400
    assert delay.min() > 0
    assert delay.max() <= MAX_LABEL_DAYS
    assert 0.05 < frauds.LABEL_TIME.isna().mean() < 0.16
    known = (frauds.LABEL_TIME - frauds.TX_DATETIME).dropna().dt.days
    assert (known < 3).mean() > 0.2  # noticed by the owner
    assert (known > 7).mean() > 0.25  # chargebacks
    assert table[table.TX_FRAUD == 0].LABEL_TIME.notna().mean() < 0.01


def test_nothing_but_behaviour_tells_a_fraud(table: pd.DataFrame) -> None:
    assert table.TX_DATETIME.is_monotonic_increasing
    assert (np.arange(len(table)) == table.TRANSACTION_ID).all()
    fingerprints = {
        "cents": (table.TX_AMOUNT * 100).round() % 100,
        "seconds": table.TX_DATETIME.dt.second,
        "id": table.TRANSACTION_ID % 1000,
        "card number": table.CUSTOMER_ID,
        "terminal number": table.TERMINAL_ID,
    }
    # Frauds come in incidents, so a card's number scatters more than independent rows would.
    for name, value in fingerprints.items():
        assert abs(roc_auc_score(table.TX_FRAUD, value) - 0.5) < 0.1, name
    assert abs(roc_auc_score(table.TX_FRAUD, table.TX_AMOUNT) - 0.5) < 0.35  # not trivial by amount alone


@pytest.mark.parametrize(("cards", "terminals", "days"), list(itertools.product([1, 60], [4, 120], [1, 45])))
def test_small_worlds_work(cards: int, terminals: int, days: int) -> None:
    small = simulate(Simulation(days=days, customers=cards, terminals=terminals, seed=1, fraud_rate=0.02))
    assert small.CUSTOMER_ID.isin(range(cards)).all()
    assert small.TERMINAL_ID.isin(range(terminals)).all()


def test_the_fraud_rate_is_the_callers() -> None:
    assert simulate(Simulation(days=30, customers=300, terminals=300, fraud_rate=0.0)).TX_FRAUD.sum() == 0
    assert 0.03 < simulate(Simulation(days=60, customers=300, terminals=300, fraud_rate=0.05)).TX_FRAUD.mean() < 0.07


@pytest.mark.parametrize("wrong", [{"days": 0}, {"customers": 0}, {"terminals": 3}, {"fraud_rate": 0.9}])
def test_impossible_worlds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="at least"):
        simulate(Simulation(**wrong))  # type: ignore[arg-type]
