"""A night's training set: windows, what serving rejects, duplicates, dislikes, and cases as they were to be served."""

import gzip
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from models.recommendations import backfill, cases, data, dataset, reading
from models.recommendations.dataset import Windows, build

AS_OF = datetime(2026, 11, 23, 12, tzinfo=UTC)
WINDOWS = Windows.of(AS_OF, train_days=10, evaluate_days=2)
T = WINDOWS.evaluate[0]
HOUR = timedelta(hours=1)


def row(user: str, item: str, when: datetime, kind: str = "view", value: float | None = None, **more: Any) -> dict:
    told = {
        "version": 1, "event_id": f"{user}.{item}.{kind}.{when:%d%H%M%S}".replace(" ", "_"), "user_id": user,
        "item_id": item, "kind": kind, "time": when.isoformat(), "value": value, "context": [("country", "DE")],
        "list_id": None, "correlation_id": None,
    }  # fmt: skip
    return {**told, **more}


def crowd() -> list[dict]:
    """Enough of everything: 60 people with three items in training, each takes a new one after T."""
    return [
        row(f"u{number}", f"i{(number + step) % 20}", T + (step - 3) * HOUR if step < 3 else T + HOUR)
        for number in range(60)
        for step in range(4)
    ]


def parquet(rows: Iterable[dict]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), backfill.SCHEMA), stream)
    return stream.getvalue()


def written(folder: Path, rows: Iterable[dict], name: str = "part") -> str:
    """As Firehose does, by the day of arrival, which is that of the event here."""
    days: dict[str, list[dict]] = {}
    for each in rows:
        when = each.get("arrived") or datetime.fromisoformat(each["time"])
        kept = {key: value for key, value in each.items() if key != "arrived"}
        days.setdefault(f"{when.astimezone(UTC):%Y-%m-%d}", []).append(kept)
    for day, several in days.items():
        path = folder / "interactions" / f"dt={day}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(parquet(several))
    return str(folder)


def test_windows_meet_at_t(tmp_path: Path) -> None:
    lake = written(tmp_path, [*crowd(), row("old", "i1", T - timedelta(days=10, seconds=1)), row("new", "i1", AS_OF)])
    built = build(lake, WINDOWS)
    assert built.train["time"].max() < T.timestamp()
    assert built.train["time"].min() >= WINDOWS.train[0].timestamp()
    assert (built.cases["time"] >= T.timestamp()).all()
    assert (built.cases["time"] < AS_OF.timestamp()).all()
    assert not {"old", "new"} & (set(built.train["user"]) | set(built.cases["user"]))
    assert built.summary["rows"] == {"train": 180, "evaluate": 60}
    assert built.summary["windows"]["evaluate"] == ["2026-11-21T12:00:00Z", "2026-11-23T12:00:00Z"]


def test_a_case_is_the_moment_before_somebody_took_something_new(tmp_path: Path) -> None:
    own = [
        row("me", "first", T - 5 * HOUR),
        row("me", "second", T - 2 * HOUR),
        row("me", "first", T + HOUR),  # had already: nothing to guess
        row("me", "third", T + 2 * HOUR),
        row("me", "fourth", T + 3 * HOUR, "purchase", 9.0),
        row("stranger", "third", T + HOUR),
    ]
    built = build(written(tmp_path, [*crowd(), *own]), WINDOWS)
    mine = built.cases[built.cases["user"] == "me"].to_dict("records")
    assert [(case["wanted"], list(case["items"])) for case in mine] == [
        ("third", ["first", "second"]),
        ("fourth", ["third", "first", "second"]),
    ]
    assert mine[1]["ages"] == pytest.approx([1 / 24, 2 / 24, 5 / 24], abs=1e-6)
    assert set(mine[1]["seen"]) == {"first", "second", "third"}
    (cold,) = built.cases[built.cases["user"] == "stranger"].to_dict("records")
    assert (cold["wanted"], list(cold["items"]), list(cold["seen"])) == ("third", [], [])


def test_what_somebody_rated_badly_is_no_taste_of_theirs(tmp_path: Path) -> None:
    own = [
        row("me", "bad", T - 5 * HOUR, "rating", 1.0),
        row("me", "bad", T - 4 * HOUR),  # looked again: the rating stays
        row("me", "good", T - 3 * HOUR, "rating", 1.0),
        row("me", "good", T - 2 * HOUR, "rating", 5.0),  # the last rating counts
        row("me", "next", T + HOUR),
        row("me", "hated", T + 2 * HOUR, "rating", 0.0),  # nobody wished for this
    ]
    built = build(written(tmp_path, [*crowd(), *own]), WINDOWS)
    assert built.train.loc[built.train["user"] == "me", "item"].tolist() == ["good"]
    (case,) = built.cases[built.cases["user"] == "me"].to_dict("records")
    assert (case["wanted"], list(case["items"]), set(case["seen"])) == ("next", ["good"], {"bad", "good"})
    assert built.summary["left_out"]["disliked"] == 1


REJECTED = [
    {"version": 2}, {"kind": "stare"}, {"time": "yesterday"}, {"time": "2026-11-20T10:00:00"}, {"user_id": "a/b"},
    {"item_id": ""}, {"item_id": " x"}, {"user_id": "x" * 129}, {"kind": "rating"}, {"kind": "rating", "value": 5.1},
    {"value": -1.0}, {"event_id": "a b"}, {"event_id": "x" * 65}, {"item_id": "..", "event_id": "dots"},
    {"user_id": None}, {"item_id": "line\u2028end"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", REJECTED, ids=str)
def test_what_serving_rejects_is_left_out_and_counted(tmp_path: Path, wrong: dict[str, Any]) -> None:
    bad = {**row("me", "x", T - HOUR), **wrong, "arrived": T}
    clean, built = build(written(tmp_path / "a", crowd()), WINDOWS), build(
        written(tmp_path / "b", [*crowd(), bad]), WINDOWS
    )  # fmt: skip
    assert built.summary["left_out"]["rejected"] == 1
    assert built.summary["data_hash"] == clean.summary["data_hash"]


def test_an_event_counts_once_however_often_it_is_delivered_and_in_whatever_order(tmp_path: Path) -> None:
    once = build(written(tmp_path / "a", crowd()), WINDOWS)
    shuffled = [crowd()[at] for at in np.random.default_rng(3).permutation(240)]
    lake = written(tmp_path / "b", shuffled)
    written(tmp_path / "b", crowd()[:100], "again")
    twice = build(lake, WINDOWS)
    assert twice.summary["data_hash"] == once.summary["data_hash"]
    assert twice.summary["left_out"]["duplicates"] == 100
    pd.testing.assert_frame_equal(twice.cases, once.cases)


def test_two_spellings_of_a_name_are_one(tmp_path: Path) -> None:
    own = [row("me", "café", T - 2 * HOUR), row("me", "cafe\u0301", T - HOUR, event_id="composed")]
    built = build(written(tmp_path, [*crowd(), *own]), WINDOWS)
    assert built.train.loc[built.train["user"] == "me", "item"].tolist() == ["café"]


def test_what_came_late_is_there_and_what_takes_too_much_is_cut(tmp_path: Path) -> None:
    late = row("late", "i1", T - timedelta(days=9), arrived=T + HOUR)
    robot = [row("robot", f"r{at}", T - timedelta(minutes=at + 1)) for at in range(dataset.MOST_OF_ONE + 50)]
    built = build(written(tmp_path, [*crowd(), late, *robot]), WINDOWS)
    assert "late" in set(built.train["user"])
    of_robot = built.train[built.train["user"] == "robot"]
    assert len(of_robot) == dataset.MOST_OF_ONE
    assert "r0" in set(of_robot["item"])  # the newest stay
    assert built.summary["left_out"]["beyond_most"] == 50


def test_json_lines_do_as_well_and_some_may_be_damaged(tmp_path: Path) -> None:
    clean = build(written(tmp_path / "a", crowd()), WINDOWS)
    for number, each in enumerate(crowd()):
        when = datetime.fromisoformat(each["time"])
        path = tmp_path / "b" / "interactions" / f"dt={when:%Y-%m-%d}" / f"{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({**each, "context": {}}).encode() + b"\n"
        path.write_bytes(gzip.compress(line) if number % 2 else line + (b"{damaged\n" if number == 0 else b"[]\n\n"))
    built = build(str(tmp_path / "b"), WINDOWS)
    assert built.summary["data_hash"] == clean.summary["data_hash"]
    assert built.summary["left_out"]["unreadable"] == 1
    assert built.summary["left_out"]["rejected"] == 119


def test_a_lake_of_rubbish_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "interactions" / f"dt={T:%Y-%m-%d}"
    folder.mkdir(parents=True)
    (folder / "cut").write_bytes(parquet(crowd())[:-9])
    with pytest.raises(ValueError, match="1 of 1 lines cannot be read"):
        build(str(tmp_path), WINDOWS)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "no interactions in .* does delivery work.*backfill"),
        ([each for each in crowd() if each["user_id"] < "u3"], "people with two items.*--train-days"),
        ([each for each in crowd() if datetime.fromisoformat(each["time"]) < T], "took something new.*--evaluate-days"),
    ],
)
def test_too_little_says_what_to_do(tmp_path: Path, rows: list[dict], why: str) -> None:
    (tmp_path / "interactions").mkdir()
    with pytest.raises(ValueError, match=why):
        build(written(tmp_path, rows), WINDOWS)


def test_more_than_memory_takes_is_told_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "memory", lambda: 20 * reading.BYTES_A_ROW)
    with pytest.raises(ValueError, match=r"more than 20 interactions.*--train-days"):
        build(written(tmp_path, crowd()), WINDOWS)


def test_cases_are_a_sample_of_many_people_and_the_same_every_time() -> None:
    count = cases.USERS + 500
    rows = pd.DataFrame(
        {
            "user": np.repeat([f"u{at:05d}" for at in range(count)], 6),
            "item": [f"i{at % 6}" for at in range(count * 6)],
            "kind": "view", "time": np.tile(np.arange(6.0), count) + 100, "value": np.nan,
        }
    )  # fmt: skip
    found = cases.cases(rows.sort_values("time", kind="stable"), 100, 2.5)
    assert found["user"].nunique() == cases.USERS
    assert (found.groupby("user").size() == cases.OF_ONE).all()
    pd.testing.assert_frame_equal(found, cases.cases(rows.sort_values("time", kind="stable"), 100, 2.5))


def test_the_job_reads_s3_and_writes_what_the_next_steps_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    folder = Path(written(tmp_path / "lake", crowd()))
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="lake")
        for path in folder.rglob("part"):
            s3.upload_file(str(path), "lake", f"recommendations/{path.relative_to(folder)}")
        told = ["--lake", "s3://lake/recommendations", "--as-of", AS_OF.isoformat(), "--train-days", "10"]
        assert dataset.main([*told, "--evaluate-days", "2"]) == 0
    out = tmp_path / "ml" / "processing"
    summary = json.loads((out / "summary" / "summary.json").read_text())
    whole = data.histories(data.read(out / "train" / "train.parquet"))
    assert whole.digest() == summary["data_hash"]
    assert (len(whole.users), len(whole.names)) == (60, summary["items"])
    assert len(pd.read_parquet(out / "evaluate" / "cases.parquet")) == 60
    assert pd.read_parquet(out / "evaluate" / "popularity.parquet")["rows"].sum() == 180


def test_a_job_without_data_fails_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    assert dataset.main(["--lake", str(tmp_path / "nowhere"), "--as-of", ""]) == 1
    assert "nowhere" in (tmp_path / "ml" / "output" / "message").read_text()
