"""A new way of stealing: the shipped model misses it, a retrained one finds it, one with poisoned labels is refused."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from functions.fraud import lake
from functions.fraud.features import Frame
from functions.fraud.history import History, tag_of
from models.fraud import dataset, fitting, gate, training_set
from models.fraud.backfill import SHIPPED, backfill
from models.fraud.scenario import SCENARIO, SHELL_MERCHANT, change, poisoned, scenario

END = pd.Timestamp("2026-11-23T10:17:00Z")


class World:
    """A lake in a directory, and jobs that run on it as the pipeline runs them."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch
        self.table = scenario(1, END)
        for key, content in backfill(self.table, until=END).files():
            path = folder / "lake" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def retrain(self, name: str, champion: Path) -> dict[str, Any]:
        """evaluation.json; the challenger is in <name>/model."""
        base = self.folder / name
        self.patch.setenv("SAGEMAKER_BASE_DIR", str(base))
        days = {"train": SCENARIO.train_days, "delay": SCENARIO.delay_days, "evaluate": SCENARIO.evaluate_days}
        arguments = [text for side, count in days.items() for text in (f"--{side}-days", str(count))]
        assert dataset.main(["--lake", str(self.folder / "lake"), "--as-of", END.isoformat(), *arguments]) == 0
        processing = base / "processing"
        packed(champion, processing / "champion")
        channels = {name: processing / name for name in ("train", "champion")}
        fitting.train(channels, {"rounds": str(SCENARIO.rounds)}, base / "model")
        packed(base / "model", processing / "challenger")
        assert gate.main([]) == 0
        found: dict[str, Any] = json.loads((processing / "evaluation" / "evaluation.json").read_text())
        return found


def packed(model: Path, into: Path) -> None:
    into.mkdir(parents=True)
    with tarfile.open(into / "model.tar.gz", "w:gz") as archive:
        for path in sorted(model.iterdir()) if model.is_dir() else [model]:
            archive.add(path, path.name)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        yield World(tmp_path_factory.mktemp("world"), patch)


@pytest.fixture(scope="module")
def evaluation(world: World) -> dict[str, Any]:
    return world.retrain("good", SHIPPED)


def test_the_scenario_ends_where_it_should_and_begins_to_change_when_it_says(world: World) -> None:
    table, begin = world.table, change(END).tz_localize(None)
    shells = table["TX_FRAUD_SCENARIO"] == SHELL_MERCHANT
    assert table["TX_DATETIME"].max() <= END.tz_localize(None)
    assert table["TX_DATETIME"].is_monotonic_increasing
    assert table["TRANSACTION_ID"].tolist() == list(range(len(table)))
    assert 25_000 < len(table) < 35_000
    assert 5_000 < (table["TX_DATETIME"] >= begin).sum() < 8_000
    assert table.loc[shells, "TX_DATETIME"].min() >= begin
    assert shells.sum() > 200
    assert set(table.loc[shells, "TX_FRAUD"]) == {1}
    pd.testing.assert_frame_equal(table, scenario(1, END))


def test_the_new_pattern_is_not_told_by_one_column(world: World) -> None:
    """Shops without a past and such amounts are there among genuine purchases too, before the change and after."""
    table = world.table
    shells = table["TX_FRAUD_SCENARIO"] == SHELL_MERCHANT
    genuine = table[table["TX_FRAUD"] == 0]
    first = table.groupby("TERMINAL_ID")["TX_DATETIME"].transform("min")
    young = table["TX_DATETIME"] - first < pd.Timedelta(hours=8)
    late = table["TX_DATETIME"] >= change(END).tz_localize(None)
    assert (young & late & (table["TX_FRAUD"] == 0)).sum() > 15
    low, high = genuine["TX_AMOUNT"].quantile([0.1, 0.9])
    assert table.loc[shells, "TX_AMOUNT"].between(low, high).mean() > 0.8


def test_the_challenger_is_clearly_better(evaluation: dict[str, Any]) -> None:
    gain = evaluation["gain"]
    assert evaluation["sane"] == 1
    assert gain["average_precision"] > 0.2
    assert gain["lower"] > 0.1
    assert gain["ece"] < 0.005
    assert gain["worst_slice"] < 0.1
    assert 0 < gain["latency_ratio"] < 2


def test_what_the_gate_tells_is_complete(evaluation: dict[str, Any], world: World) -> None:
    for side in ("champion", "challenger"):
        told = evaluation[side]
        assert {"version", "average_precision", "roc_auc", "card_precision_100", "ece", "ms_per_1000"} <= set(told)
    assert (
        evaluation["challenger"]["sha256"] == gate.Contender(world.folder / "good" / "processing" / "challenger").sha256
    )
    assert {"day", "night", "new card", "known card", "amount below 20", "channel stream"} <= set(evaluation["slices"])
    assert "average precision" in evaluation["summary"]


def test_it_is_the_new_pattern_that_was_missed_and_is_found(world: World, evaluation: dict[str, Any]) -> None:
    rows = training_set.read(world.folder / "good" / "processing" / "evaluate", "evaluate")
    kinds = world.table["TX_FRAUD_SCENARIO"].to_numpy()[rows["transaction_id"].astype(int)]
    recall, old = {}, {}
    for side in ("champion", "challenger"):
        model = gate.Contender(world.folder / "good" / "processing" / side).model
        flagged = model.score(training_set.matrix(rows)) >= model.thresholds["review"]
        recall[side] = flagged[kinds == SHELL_MERCHANT].mean()
        old[side] = flagged[(kinds > 0) & (kinds != SHELL_MERCHANT)].mean()
    assert recall["champion"] < 0.3
    assert recall["challenger"] > 0.8
    assert old["challenger"] > 0.5, "what the champion knew is not forgotten"


def test_a_poisoned_challenger_is_refused(world: World, evaluation: dict[str, Any]) -> None:
    told = poisoned(world.table, END)
    truth = world.table.set_index("TRANSACTION_ID")["TX_FRAUD"]
    assert (truth.loc[told["TRANSACTION_ID"]].to_numpy() == 1 - told["TX_FRAUD"]).all()
    lines = [
        lake.LabelRecorded(
            transaction_id=str(row.TRANSACTION_ID),
            fraud=bool(row.TX_FRAUD),
            transaction_time=row.TX_DATETIME.tz_localize("UTC").to_pydatetime(),
            time=row.LABEL_TIME.tz_localize("UTC").to_pydatetime(),
            source="analyst",
        )
        for row in told.itertuples()
    ]
    day = world.folder / "lake" / "labels" / f"dt={END:%Y-%m-%d}"
    day.mkdir(exist_ok=True)
    (day / "insider.jsonl").write_bytes(b"".join(lake.encode(line) + b"\n" for line in lines))
    found = world.retrain("poisoned", world.folder / "good" / "model")
    assert found["sane"] == 1
    assert found["gain"]["average_precision"] < -0.2
    assert found["gain"]["worst_slice"] > 0.1
    assert found["frauds"] == evaluation["frauds"]


def test_histories_after_the_backfill_are_those_that_serving_would_hold(world: World) -> None:
    """The next transactions get the features that a replay of everything gives them."""
    until = change(END)
    part, whole = backfill(world.table, until=until, prefix="p-"), backfill(world.table, until=END, prefix="p-")
    features = {line.transaction_id: line.features for line in whole.decisions}
    assert all(features[line.transaction_id] == line.features for line in part.decisions)
    assert all(line.time < until for line in part.decisions)
    assert all(line.time <= until for line in part.labels)
    # Go on from there, as serving does, until the next label is learned.
    news = min(line.time for line in whole.labels if line.time > until)
    after = [line for line in whole.decisions[len(part.decisions) :] if line.time < news]
    frame = Frame()
    for line in after:
        card = part.cards.setdefault(line.card_id, History())
        terminal = part.terminals.setdefault(line.terminal_id, History())
        time, tag = int(line.time.timestamp()), tag_of(line.transaction_id)
        frame.append(time, line.amount, card, terminal)
        card.add(tag, time, line.amount)
        terminal.add(tag, time, line.amount)
    assert len(after) > 5
    assert [row.tobytes() for row in frame.matrix()] == [line.features for line in after]
