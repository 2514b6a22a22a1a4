"""A history becomes the lake that the suite would have written: its features, its decisions, labels when known."""

import gzip
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from functions.fraud import lake
from functions.fraud.features import FEATURE_SET
from models.fraud import data
from models.fraud.backfill import SHIPPED, backfill, main
from models.fraud.export import score
from models.fraud.simulator import Simulation, simulate


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return simulate(Simulation(days=20, customers=40, terminals=40, seed=3, fraud_rate=0.05))


def test_decisions_are_those_that_serving_would_have_made(table: pd.DataFrame) -> None:
    filled = backfill(table)
    prepared = data.prepare(table)
    rows = data.features(prepared, data.known_at(prepared, 7))
    scores = score(SHIPPED, rows)
    assert len(filled.decisions) == len(table)
    for at, line in enumerate(filled.decisions):
        assert line.features == rows[at].tobytes()
        assert line.score == scores[at]
        assert line.amount == round(prepared["TX_AMOUNT"][at] * 100)
        assert line.time.timestamp() == prepared["time"][at]
    assert {line.feature_set for line in filled.decisions} == {FEATURE_SET}
    limits = {
        outcome: [line.score for line in filled.decisions if line.outcome == outcome]
        for outcome in ("approve", "review", "decline")
    }
    assert max(limits["approve"]) < min(limits["review"])
    assert max(limits["review"]) < min(limits["decline"])


def test_labels_are_told_when_they_became_known_and_not_before(table: pd.DataFrame) -> None:
    until = pd.Timestamp("2026-01-15")
    filled = backfill(table, until=until)
    known = table[(table["LABEL_TIME"] <= until) & (table["TX_DATETIME"] < until)]
    assert {line.transaction_id for line in filled.labels} == set(known["TRANSACTION_ID"].astype(str))
    assert all(line.time <= until.tz_localize("UTC") for line in filled.labels)
    assert [line.time for line in filled.labels] == sorted(line.time for line in filled.labels)
    learned = sum(len(history.frauds) // 3 for history in filled.terminals.values())
    assert learned == known["TX_FRAUD"].sum() > 0


def test_without_label_times_frauds_are_known_after_the_delay(table: pd.DataFrame) -> None:
    filled = backfill(table.drop(columns="LABEL_TIME"), delay_days=3)
    assert all(line.fraud for line in filled.labels)
    waits = {line.time - line.transaction_time for line in filled.labels}
    assert waits == {pd.Timedelta(days=3)}


def test_files_are_by_day_and_say_the_same(table: pd.DataFrame) -> None:
    filled = backfill(table, prefix="old-")
    files = dict(filled.files())
    assert {key.split("/")[0] for key in files} == {"decisions", "labels"}
    read = [
        (key, lake.decode_decision(line))
        for key, content in files.items()
        if key.startswith("decisions")
        for line in gzip.decompress(content).splitlines()
    ]
    assert [decision for _, decision in read] == filled.decisions
    assert all(f"dt={decision.decided_at:%Y-%m-%d}" in key for key, decision in read)
    assert all(decision.card_id.startswith("old-") and decision.terminal_id in filled.terminals for _, decision in read)
    assert dict(filled.files()) == files


def test_nothing_before_the_end_is_an_error(table: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="no transactions before 2020-01-01"):
        backfill(table, until=pd.Timestamp("2020-01-01"))


def test_the_command_fills_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["backfill", "--out", str(tmp_path / "lake")]
    monkeypatch.setattr(sys, "argv", [*base, "--transactions", "simulated", "--days", "4", "--customers", "20"])
    main()
    count = sum(
        len(gzip.decompress(path.read_bytes()).splitlines()) for path in (tmp_path / "lake" / "decisions").rglob("*.gz")
    )
    assert f"{count:,} decisions" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*base, "--transactions", str(tmp_path / "none.parquet")])
    with pytest.raises(SystemExit):
        main()
    assert "none.parquet" in capsys.readouterr().err
    assert np.all([path.suffix == ".gz" for path in (tmp_path / "lake").rglob("*") if path.is_file()])
