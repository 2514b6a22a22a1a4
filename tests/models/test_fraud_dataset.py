"""The training set is what was known then: windows, delays, late and changed labels, duplicates, from disk and S3."""

import gzip
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto import mock_aws

from functions.fraud import lake
from functions.fraud.features import FEATURE_SET, FEATURES
from models.fraud import dataset, reading, training_set
from models.fraud.dataset import Dataset, Windows, build

AS_OF = datetime(2026, 11, 23, 12, tzinfo=UTC)
WINDOWS = Windows.of(AS_OF, train_days=10, delay_days=2, evaluate_days=3)
LIVE = AS_OF - timedelta(days=5)  # when a model of these windows would have gone live
DAY = timedelta(days=1)


def decision(name: str, time: datetime, **more: Any) -> lake.DecisionRecorded:
    given = {
        "transaction_id": name, "card_id": "c", "terminal_id": "t", "merchant_id": None, "amount": 100,
        "currency": "EUR", "time": time, "channel": "stream", "outcome": "approve", "score": 0.1, "rules": (),
        "model_version": "v", "features": np.full(len(FEATURES), len(name), "<f4").tobytes(),
        "feature_set": FEATURE_SET, "decided_at": time, "latency_ms": 1, "correlation_id": name,
    }  # fmt: skip
    return lake.DecisionRecorded(**{**given, **more})


def label(name: str, known: datetime, fraud: bool = True) -> lake.LabelRecorded:
    return lake.LabelRecorded(
        transaction_id=name, fraud=fraud, transaction_time=known - DAY, time=known, source="chargeback"
    )


def frauds(side: tuple[datetime, datetime], count: int) -> list[lake.DecisionRecorded | lake.LabelRecorded]:
    """Enough of them, in the window and known a day later."""
    lines: list[lake.DecisionRecorded | lake.LabelRecorded] = []
    for number in range(count):
        time = side[0] + (side[1] - side[0]) * number / count
        lines += [decision(f"f{side[0].day}-{number}", time), label(f"f{side[0].day}-{number}", time + DAY)]
    return lines


ENOUGH = [*frauds(WINDOWS.train, 40), *frauds(WINDOWS.evaluate, 12)]


def files(lines: Iterable[lake.DecisionRecorded | lake.LabelRecorded]) -> dict[str, bytes]:
    """Key -> content, by day of arrival."""
    found: dict[str, bytes] = {}
    for line in lines:
        kind, when = ("labels", line.time) if isinstance(line, lake.LabelRecorded) else ("decisions", line.decided_at)
        key = f"{kind}/dt={when:%Y-%m-%d}/part-1"
        found[key] = found.get(key, b"") + lake.encode(line) + b"\n"
    return found


def written(folder: Path, lines: Iterable[lake.DecisionRecorded | lake.LabelRecorded]) -> str:
    for key, content in files(lines).items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)
    return str(folder)


def built(folder: Path, *lines: lake.DecisionRecorded | lake.LabelRecorded) -> Dataset:
    return build(written(folder, [*ENOUGH, *lines]), WINDOWS)


def row(side: Any, name: str) -> Any:
    return side[side["transaction_id"] == name]


def test_windows_leave_labels_their_time_on_both_sides() -> None:
    assert WINDOWS.evaluate == (LIVE, AS_OF - 2 * DAY)
    assert WINDOWS.train == (LIVE - 12 * DAY, LIVE - 2 * DAY)


@pytest.mark.parametrize(
    ("time", "side"),
    [
        (WINDOWS.train[0] - timedelta(seconds=1), None),
        (WINDOWS.train[0], "train"),
        (WINDOWS.train[1] - timedelta(seconds=1), "train"),
        (WINDOWS.train[1], None),
        (LIVE - timedelta(seconds=1), None),
        (LIVE, "evaluate"),
        (WINDOWS.evaluate[1] - timedelta(seconds=1), "evaluate"),
        (WINDOWS.evaluate[1], None),
    ],
)
def test_a_row_is_on_one_side_or_none(tmp_path: Path, time: datetime, side: str | None) -> None:
    found = built(tmp_path, decision("x", time))
    assert [name for name in ("train", "evaluate") if len(row(getattr(found, name), "x"))] == ([side] if side else [])


def test_a_label_counts_from_the_moment_it_was_known(tmp_path: Path) -> None:
    then = WINDOWS.train[0] + DAY
    found = built(
        tmp_path,
        decision("early", then), label("early", LIVE),
        decision("late", then), label("late", LIVE + timedelta(seconds=1)),
        decision("now", LIVE), label("now", AS_OF),
        decision("later", LIVE), label("later", AS_OF + timedelta(seconds=1)),
    )  # fmt: skip
    assert row(found.train, "early")["fraud"].all()
    assert not row(found.train, "late")["fraud"].any()
    assert row(found.evaluate, "now")["fraud"].all()
    assert not row(found.evaluate, "later")["fraud"].any()


def test_the_latest_label_known_then_wins_whatever_the_order_of_arrival(tmp_path: Path) -> None:
    then = WINDOWS.train[0] + DAY
    found = built(
        tmp_path,
        decision("taken back", then), label("taken back", then + 2 * DAY, False), label("taken back", then + DAY),
        decision("taken back too late", then), label("taken back too late", LIVE + DAY, False),
        label("taken back too late", then + DAY),
    )  # fmt: skip
    assert not row(found.train, "taken back")["fraud"].any()
    assert row(found.train, "taken back too late")["fraud"].all()


def test_a_declined_transaction_that_nobody_labelled_is_left_out(tmp_path: Path) -> None:
    then = WINDOWS.train[0] + DAY
    found = built(
        tmp_path,
        decision("silent", then, outcome="decline"),
        decision("told", then, outcome="decline"), label("told", then + DAY, False),
        decision("reviewed", then, outcome="review"),
    )  # fmt: skip
    assert row(found.train, "silent").empty
    assert not row(found.train, "told").empty
    assert not row(found.train, "reviewed").empty
    assert found.summary["left_out"]["declined_unlabelled"] == 1


def test_the_first_decision_counts_however_often_it_was_delivered(tmp_path: Path) -> None:
    then = WINDOWS.train[0] + DAY
    again = [decision("x", then, score=0.9, decided_at=then + DAY), decision("x", then, score=0.1, decided_at=then)]
    found = built(tmp_path, *again, again[1])
    assert row(found.train, "x")["score"].tolist() == [0.1]
    assert found.summary["left_out"]["duplicates"] == 2


def test_what_arrives_days_after_its_time_is_found(tmp_path: Path) -> None:
    found = built(tmp_path, decision("x", WINDOWS.train[0] + DAY, decided_at=AS_OF), label("x", WINDOWS.train[0] + DAY))
    assert row(found.train, "x")["fraud"].all()


def test_more_than_memory_takes_is_told_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "memory", lambda: 20 * reading.BYTES_A_DECISION)
    with pytest.raises(ValueError, match=r"more than 20 decisions from .*: fewer days \(--train-days\), or a larger"):
        built(tmp_path)


def test_features_of_other_code_are_left_out_and_counted(tmp_path: Path) -> None:
    found = built(tmp_path, decision("x", WINDOWS.train[0], feature_set="000000000000"))
    assert row(found.train, "x").empty
    assert found.summary["left_out"]["other_features"] == 1


def test_features_come_back_bit_by_bit(tmp_path: Path) -> None:
    made = np.random.default_rng(1).normal(size=len(FEATURES)).astype("<f4")
    found = built(tmp_path, decision("x", LIVE, features=made.tobytes()))
    assert training_set.matrix(row(found.evaluate, "x")).tobytes() == made.tobytes()


def test_the_hash_names_what_is_learned_from(tmp_path: Path) -> None:
    then = WINDOWS.train[0] + DAY
    one = built(tmp_path / "a", decision("x", then)).summary["data_hash"]
    assert one == built(tmp_path / "b", decision("x", then), label("x", then, False)).summary["data_hash"]
    assert one != built(tmp_path / "c", decision("x", then), label("x", then)).summary["data_hash"]


def test_s3_and_a_directory_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="lake")
        for number, (key, content) in enumerate(files(ENOUGH).items()):
            s3.put_object(Bucket="lake", Key=f"fraud/{key}", Body=gzip.compress(content) if number % 2 else content)
        there = build("s3://lake/fraud", WINDOWS)
        with pytest.raises(ValueError, match="no decisions in s3://lake/other"):
            build("s3://lake/other", WINDOWS)
    assert there.summary == built(tmp_path).summary


def test_what_cannot_be_read_is_counted_and_much_of_it_is_an_error(tmp_path: Path) -> None:
    many = [decision(f"x{number}", WINDOWS.train[0] + DAY) for number in range(200)]
    where = written(tmp_path, [*ENOUGH, *many])
    file = tmp_path / "decisions" / f"dt={AS_OF - 9 * DAY:%Y-%m-%d}" / "broken"
    file.write_bytes(b'{"version": 1}\n')
    assert build(where, WINDOWS).summary["left_out"]["unreadable"] == 1
    file.write_bytes(b"broken\n" * 20)
    with pytest.raises(ValueError, match=r"20 of 2.. lines cannot be read"):
        build(where, WINDOWS)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (ENOUGH[:20], r"10 known frauds among the 10 training rows .* at least 30 .*--train-days"),
        (frauds(WINDOWS.train, 40), r"0 known frauds among the 0 evaluation rows .*--evaluate-days"),
        ([], r"no decisions in .* models\.fraud\.backfill"),
    ],
)
def test_the_job_says_what_is_missing(
    tmp_path: Path, lines: Any, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    (tmp_path / "lake").mkdir()
    where = written(tmp_path / "lake", lines)
    days = ["--train-days", "10", "--delay-days", "2", "--evaluate-days", "3"]
    assert dataset.main(["--lake", where, "--as-of", AS_OF.isoformat(), *days]) == 1
    assert re.search(complaint, (tmp_path / "ml" / "output" / "message").read_text())


def test_the_job_writes_its_outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    where = written(tmp_path / "lake", ENOUGH)
    days = ["--train-days", "10", "--delay-days", "2", "--evaluate-days", "3"]
    assert dataset.main(["--lake", where, "--as-of", "2026-11-23T12:00:00Z", *days]) == 0
    out = tmp_path / "ml" / "processing"
    summary = json.loads((out / "summary" / "summary.json").read_text())
    assert summary["rows"] == {"train": 40, "evaluate": 12}
    assert summary["frauds"] == {"train": 40, "evaluate": 12}
    assert summary["windows"]["as_of"] == "2026-11-23T12:00:00Z"
    assert summary["data_hash"] == training_set.digest(training_set.read(out / "train", "train"))
    assert len(training_set.read(out / "evaluate", "evaluate")) == 12
