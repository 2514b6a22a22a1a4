"""Files of interactions in the shapes that data sets have become interaction v1; what is wrong is told."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from local.cli.main import app
from local.feed.events import moved, weeks_to
from local.feed.interactions import Feed, feed, headless, judged, put_interactions
from local.feed.rows import rows
from tests.unit.replaying import Connection, mocked, streamed

__all__ = ["mocked"]  # the fixture `aws`

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
GOOD = {
    "version": 1, "event_id": "e-1", "user_id": "u-7", "item_id": "i-3", "kind": "purchase", "value": 12.5,
    "time": "2026-11-22T10:00:00.000Z", "context": {"country": "IT"}, "list_id": "l-1",
}  # fmt: skip
# 1997-12-04 15:55:49
MOVIELENS = "196\t242\t3\t881250949\n186\t302\t3.5\t891717742\n"
AMAZON = (
    '{"uid":196,"asin":"242","overall":3,"unixReviewTime":881250949}\n'
    '{"uid":"186","asin":302,"overall":3.5,"unixReviewTime":"1998-04-04T19:22:22"}\n'
)


def feeds(path: Path, kind: str = "") -> list[Feed]:
    return [judged(feed(row, kind), NOW) for row in rows(str(path), headless=headless)]


def fields(path: Path, kind: str = "") -> list[dict[str, Any]]:
    found = feeds(path, kind)
    assert [item.problem for item in found] == [None] * len(found)
    return [json.loads(item.payload) for item in found]


def test_jsonl_goes_out_byte_for_byte(tmp_path: Path) -> None:
    line = json.dumps(GOOD).encode()
    (tmp_path / "a.jsonl").write_bytes(line + b"\r\n" + line)
    found = feeds(tmp_path / "a.jsonl")
    assert [(item.payload, item.key, item.problem) for item in found] == [(line, "u-7", None)] * 2


def test_columns_of_the_schema_give_the_same(tmp_path: Path) -> None:
    flat = {name: value for name, value in GOOD.items() if name not in {"version", "context"}}
    table = pd.DataFrame([flat | {"context.country": "IT"}])
    table.to_csv(tmp_path / "a.csv", index=False)
    table.assign(time=pd.to_datetime(table["time"])).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame([flat | {"context": '{"country": "IT"}'}]).to_csv(tmp_path / "b.csv", index=False)
    for name in ("a.csv", "a.parquet", "b.csv"):
        assert fields(tmp_path / name) == [GOOD], name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("u.data", MOVIELENS),
        ("a.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + MOVIELENS),
        ("a.csv", "userId,movieId,rating,timestamp\n" + MOVIELENS.replace("\t", ",")),
        ("a.txt", MOVIELENS.replace("\t", ",").replace("949", "949000").replace("742", "742000")),
        ("a.jsonl", AMAZON),
    ],
)  # fmt: skip
def test_ratings_of_data_sets(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    first, second = fields(tmp_path / name)
    assert first.pop("event_id") != second.pop("event_id")
    assert first == {"version": 1, "user_id": "196", "item_id": "242", "kind": "rating", "value": 3,
                     "time": "1997-12-04T15:55:49.000Z"}  # fmt: skip
    assert second == {"version": 1, "user_id": "186", "item_id": "302", "kind": "rating", "value": 3.5,
                      "time": "1998-04-04T19:22:22.000Z"}  # fmt: skip


def test_rows_without_a_rating_are_views_or_what_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("u,i,1700000000\nu,i,1700000001\n")
    assert [each["kind"] for each in fields(path)] == ["view", "view"]
    (cart, _) = fields(path, "cart")
    assert cart["kind"] == "cart"
    assert "value" not in cart


def test_a_rating_that_is_asked_to_be_something_else_loses_its_value(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text(MOVIELENS)
    assert [(each["kind"], each.get("value")) for each in fields(tmp_path / "u.data", "view")] == [("view", None)] * 2


def test_the_same_row_has_the_same_id_each_time_and_others_have_others(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("u,i,1700000000\nu,i,1700000000\nu,i,1700000001\nu,j,1700000000\nv,i,1700000000\n")
    ids = [each["event_id"] for each in fields(path)]
    assert ids == [each["event_id"] for each in fields(path)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"event_id":"e"}', "version is missing"),
        ('{"user_id":"u","timestamp":1700000000}', "item_id is missing"),
        ('{"user_id":"u","item":"i","time":"yesterday"}', "time"),
        ('{"user_id":"u","item":"i"}', "time is missing"),
        ('{"user_id":"u","item":"a/b","ts":1700000000}', "item_id must be without"),
        ('{"user_id":"u","item":"i","rating":9,"ts":1700000000}', "value a rating is 0 to 5"),
        ('{"user_id":"u","item":"i","kind":"look","ts":1700000000}', "kind"),
        ('{"user_id":"\\ud800","item":"i","ts":1700000000}', "user_id|not|must"),
        ('{"user_id":["u"],"item":"i","ts":1700000000}', "user_id Expected"),
        ("nonsense", "not JSON"),
    ],
)
def test_a_bad_row_says_why(tmp_path: Path, line: str, why: str) -> None:
    (tmp_path / "a.jsonl").write_text(line + "\n")
    (found,) = feeds(tmp_path / "a.jsonl")
    assert found.problem
    assert any(found.problem.startswith(each) for each in why.split("|")), found.problem
    assert found.payload


def test_old_data_sets_move_to_now(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text(MOVIELENS)
    found = feeds(tmp_path / "u.data")
    times = [item.time for item in moved(found, weeks_to(NOW, found))]
    assert times[1] is not None
    assert times[0] is not None
    assert timedelta(0) <= NOW - times[1] < timedelta(weeks=1)
    assert times[1] - times[0] == datetime(1998, 4, 4, 19, 22, 22) - datetime(1997, 12, 4, 15, 55, 49)  # noqa: DTZ001


def test_a_header_is_no_row() -> None:
    assert headless(["user_id:token", "item_id:token", "timestamp:float"]) is None
    assert headless(["userId", "movieId", "rating", "timestamp"]) is None
    assert headless(["a", "b"]) is None
    assert headless(["a", "b", "yesterday"]) is None
    assert headless(["a", "b", "1.5e9"]) is None
    assert headless(["a", "b", "1500000000"]) == ("user_id", "item_id", "timestamp")


def test_they_reach_the_stream_with_the_user_as_key(aws: Connection) -> None:
    some = [GOOD | {"event_id": f"e{number}", "user_id": f"u{number % 2}"} for number in range(5)]
    assert put_interactions(aws, "transactions", some) == 5
    assert [(json.loads(each["Data"]), each["PartitionKey"]) for each in streamed(aws)] == [
        (each, each["user_id"]) for each in some
    ]


def test_the_command(tmp_path: Path, aws: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.platform.client.connect", lambda *_: aws)
    path = tmp_path / "u.data"
    path.write_text(MOVIELENS + "1\t2\t99\t881250949\n")
    strict = CliRunner().invoke(app, ["send", "interactions", str(path), "--strict"])
    assert strict.exit_code == 1
    assert "1 of 3 lines are bad" in strict.output
    assert not streamed(aws)
    dry = CliRunner().invoke(app, ["send", "interactions", str(path), "--dry-run"])
    assert "3 interactions checked" in dry.output
    assert not streamed(aws)
    sent = CliRunner().invoke(app, ["send", "interactions", str(path), "--to-now"])
    assert "line 3: value a rating is 0 to 5" in sent.output
    assert "cuatro replay recommendations --dry-run" in sent.output
    assert {json.loads(each["Data"])["user_id"] for each in streamed(aws)} == {"196", "186", "1"}
    newest = max(datetime.fromisoformat(json.loads(each["Data"])["time"]) for each in streamed(aws))
    assert timedelta(0) <= datetime.now(UTC) - newest < timedelta(weeks=1)
