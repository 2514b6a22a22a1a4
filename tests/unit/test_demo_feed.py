"""What a person's file becomes: both shapes in three formats, bad lines named and still sent."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from local.cli.main import app
from local.feed.api import Answer
from local.feed.batch import batched
from local.feed.labels import NEVER_DECIDED, LabelError, label, post
from local.feed.rows import Row, UnreadableError, rows
from local.feed.sending import send
from local.feed.transactions import Feed, feed, judged, moved, weeks_to

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
GOOD = {
    "version": 1,
    "transaction_id": "t-1",
    "card_id": "c-7",
    "terminal_id": "shop-3",
    "amount": 1250,
    "currency": "EUR",
    "time": "2026-11-22T10:00:00.000Z",
}
COLUMNS = {
    "TRANSACTION_ID": [5],
    "TX_DATETIME": [pd.Timestamp("2026-11-22 10:00:00")],
    "CUSTOMER_ID": [7],
    "TERMINAL_ID": [3],
    "TX_AMOUNT": [12.5],
}
FROM_COLUMNS = {**GOOD, "transaction_id": "5", "card_id": "7", "terminal_id": "3"}


def _feeds(path: Path) -> list[Feed]:
    return [judged(feed(row), NOW) for row in rows(str(path))]


def test_jsonl_goes_out_byte_for_byte(tmp_path: Path) -> None:
    line = json.dumps(GOOD, indent=None).encode()
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + line + b"\r\n\n" + line)
    found = _feeds(path)
    assert [item.payload for item in found] == [line, line]
    assert [item.number for item in found] == [1, 3]
    assert found[0].key == "c-7"
    assert found[0].problem is None


def test_csv_and_parquet_of_the_schema_give_the_same_transaction(tmp_path: Path) -> None:
    table = pd.DataFrame([{name: value for name, value in GOOD.items() if name not in {"version", "currency"}}])
    table.to_csv(tmp_path / "a.csv", index=False)
    table.assign(time=pd.to_datetime(table["time"])).to_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        (found,) = _feeds(tmp_path / name)
        assert json.loads(found.payload) == GOOD, name
        assert found.problem is None


def test_csv_and_parquet_of_the_columns(tmp_path: Path) -> None:
    table = pd.DataFrame({**COLUMNS, "TX_FRAUD": [1], "LABEL_TIME": [pd.Timestamp("2026-11-25")]})
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        (found,) = _feeds(tmp_path / name)
        assert json.loads(found.payload) == FROM_COLUMNS, name
        assert found.fraud is True
        assert found.known_at == datetime(2026, 11, 25, tzinfo=UTC)


def test_minor_units_follow_the_currency() -> None:
    columns = {name: values[0] for name, values in COLUMNS.items()}
    amounts = {code: (feed(Row(1, b"", columns), code).fields or {})["amount"] for code in ("EUR", "JPY", "KWD")}
    assert amounts == {"EUR": 1250, "JPY": 12, "KWD": 12500}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "not JSON"),
        (b"[1]", "a JSON list, not an object"),
        (b'{"version":1}', "transaction_id is missing"),
        (json.dumps({**GOOD, "amount": -1}).encode(), "amount Expected int >= 1"),
        (json.dumps({**GOOD, "currency": "ZZZ"}).encode(), "currency 'ZZZ' is not an ISO 4217 currency"),
        (json.dumps({**GOOD, "time": "2027-01-01T00:00:00Z"}).encode(), "time lies"),
        (b"\x00\xff\xfe", "not JSON"),
    ],
)
def test_a_bad_line_says_why_and_is_sent_as_it_is(tmp_path: Path, line: bytes, why: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(json.dumps(GOOD).encode() + b"\n" + line)
    good, bad = _feeds(path)
    assert good.problem is None
    assert bad.problem is not None
    assert bad.problem.startswith(why)
    assert bad.payload == line
    assert bad.number == 2
    assert bad.key


def test_a_bad_value_in_a_csv_is_not_repaired(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT\n5,yesterday,7,3,a lot\n6,,7,3\n")
    wrong, short = _feeds(path)
    assert json.loads(wrong.payload)["amount"] == "a lot"
    assert json.loads(wrong.payload)["time"] == "yesterday"
    assert wrong.problem is not None
    assert short.problem == "no value for TX_AMOUNT"


def test_standard_input_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (json.dumps(GOOD), "transaction_id,card_id\nt-1,c-7\n"):

        class Stdin:
            buffer = io.BytesIO(text.encode())

        monkeypatch.setattr("sys.stdin", Stdin)
        (found,) = rows("-")
        assert (found.fields or {})["card_id"] == "c-7"


def test_unreadable_files_say_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="No such file"):
        list(rows(str(tmp_path / "none.csv")))
    (tmp_path / "no.parquet").write_bytes(b"certainly not parquet")
    with pytest.raises(UnreadableError, match="not a Parquet file"):
        list(rows(str(tmp_path / "no.parquet")))


def test_old_transactions_move_by_whole_weeks_to_now() -> None:
    old = feed(
        Row(1, b"{", {**GOOD, "time": "2018-07-04T03:00:00.000Z", "label_time": "2018-07-05T00:00:00Z", "fraud": 1})
    )
    by = weeks_to(NOW, [old])
    (found,) = moved([old], by)
    assert found.time is not None
    assert old.time is not None
    assert found.known_at == found.time + timedelta(hours=21)
    assert timedelta(0) <= NOW - found.time < timedelta(weeks=1)
    assert (found.time.weekday(), found.time.time()) == (old.time.weekday(), old.time.time())
    assert "label_time" not in (found.fields or {})


def test_labels_of_both_shapes() -> None:
    v1 = {"transaction_id": "t-1", "fraud": "true", "time": "2026-11-23T10:00:00Z", "source": "customer"}
    assert label(Row(1, b"", v1)) == {**v1, "version": 1, "fraud": True, "time": "2026-11-23T10:00:00.000Z"}
    columns = {"TRANSACTION_ID": 5, "TX_FRAUD": 1, "LABEL_TIME": datetime(2026, 11, 23, 10)}  # noqa: DTZ001
    assert label(Row(1, b"", columns)) == {
        "version": 1,
        "transaction_id": "5",
        "fraud": True,
        "time": "2026-11-23T10:00:00.000Z",
        "source": "chargeback",
    }
    assert label(Row(1, b"", {"TRANSACTION_ID": 5, "TX_FRAUD": 0})) is None
    with pytest.raises(LabelError, match="not JSON"):
        label(Row(1, b"{", None, "not JSON"))


class LabelsApi:
    """Knows t-1 and t-2, and refuses requests with a label that is none."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def post(self, path: str, body: Any) -> Answer:
        if any(not isinstance(entry["fraud"], bool) for entry in body["labels"]):
            error = {"code": "wrong_type", "field": "labels[0].fraud", "message": "Expected bool"}
            return Answer(400, {"error": error}, 1.0)
        ids = {entry["transaction_id"] for entry in body["labels"]}
        if not ids & {"t-1", "t-2"}:
            return Answer(404, {"error": {"code": "not_found", "field": "labels", "message": "no"}}, 1.0)
        self.taken |= ids & {"t-1", "t-2"}
        return Answer(200, {"accepted": len(ids & {"t-1", "t-2"}), "unknown": sorted(ids - {"t-1", "t-2"})}, 1.0)


def test_one_bad_label_does_not_keep_the_others_out() -> None:
    api = LabelsApi()
    names = ("t-1", "t-x", "t-2", "t-9")
    batch = [(line, {"transaction_id": name, "fraud": True}) for line, name in enumerate(names, start=1)]
    batch[1][1]["fraud"] = "perhaps"
    taken, bad = post(api, batch)  # type: ignore[arg-type]
    assert taken == 2
    assert api.taken == {"t-1", "t-2"}
    assert bad == [(2, "fraud Expected bool"), (4, NEVER_DECIDED)]


def test_dry_run_counts_and_what_kinesis_cannot_take_stays_behind() -> None:
    huge = judged(feed(Row(2, b"", {**GOOD, "merchant_id": "m" * 1_100_000})), NOW)
    counted: list[int] = []
    sent, bad = send(None, [feed(Row(1, b"", GOOD)), huge], counted.append)
    assert (sent, sum(counted)) == (1, 2)
    assert bad[0][0] == 2
    assert "1 MiB" in str(bad[0][1])


def test_batched() -> None:
    assert list(batched(range(5), 2)) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize("command", [["demo"], ["send"], ["send", "transactions"], ["send", "labels"]])
def test_help(command: list[str]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert "Usage" in shown.output


def test_a_dry_run_needs_no_platform(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(GOOD) + "\n{}\n")
    shown = CliRunner().invoke(app, ["send", "transactions", str(path), "--dry-run"])
    assert shown.exit_code == 0
    assert "2 transactions checked" in shown.output
    assert "line 2: version is missing" in shown.output
