"""Replay of refused records: as they came or corrected, once, and nothing is lost on the way."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from local.cli import replay as command
from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.replay import rejected
from tests.unit.replaying import BUCKET, mocked, run, streamed

__all__ = ["mocked"]  # the fixture `aws`

FIRST, SECOND = "fraud/2026/11/22/shardId-0-100.jsonl", "fraud/2026/11/23/shardId-0-200.jsonl"


def refused(number: str, data: bytes, code: str = "unknown_currency", field: str | None = "currency") -> dict[str, Any]:
    return {
        "reason": f"currency: 'EURO' is no currency ({number})",
        "field": field,
        "code": code,
        "received_at": "2026-11-23T10:00:00Z",
        "sequence_number": number,
        "partition_key": "c-1",
        "shard": "shardId-0",
        "data": base64.b64encode(data).decode(),
    }


def keep(aws: Connection, key: str, *rows: dict[str, Any]) -> None:
    body = "".join(json.dumps(row) + "\n" for row in rows)
    aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body.encode())


def stored(aws: Connection) -> dict[str, list[str]]:
    """Object -> sequence numbers of its lines."""
    s3 = aws.client("s3")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
    texts = {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in keys}
    return {key: [json.loads(line)["sequence_number"] for line in text.splitlines()] for key, text in texts.items()}


def test_all_waiting_records_are_sent_as_they_came_and_move(aws: Connection) -> None:
    keep(aws, FIRST, refused("100", b'{"a":1}'), refused("101", b"\xff\xfe"))
    keep(aws, SECOND, refused("200", b"no json"))
    code, output = run()
    assert code == 0
    assert "3 records sent again" in output
    assert [record["Data"] for record in streamed(aws)] == [b'{"a":1}', b"\xff\xfe", b"no json"]
    assert {record["PartitionKey"] for record in streamed(aws)} == {"c-1"}
    assert stored(aws) == {f"replayed/{FIRST}": ["100", "101"], f"replayed/{SECOND}": ["200"]}


def test_a_second_run_sends_nothing(aws: Connection) -> None:
    keep(aws, FIRST, refused("100", b"{}"))
    run()
    code, output = run()
    assert (code, len(streamed(aws))) == (0, 1)
    assert "No rejected records wait." in output


def test_dry_run_lists_what_waits_and_changes_nothing(aws: Connection) -> None:
    keep(aws, FIRST, refused("100", b"{}"), refused("101", b"{}"), refused("102", b"x", "malformed", None))
    before = stored(aws)
    code, output = run("--dry-run")
    assert code == 0
    assert "unknown_currency" in output
    assert "malformed" in output
    assert (stored(aws), streamed(aws)) == (before, [])


def test_only_one_reason_and_only_so_many(aws: Connection) -> None:
    keep(aws, FIRST, refused("100", b"1"), refused("101", b"2", "malformed", None), refused("102", b"3"))
    run("--reason", "unknown_currency", "--limit", "1")
    assert stored(aws) == {FIRST: ["101", "102"], f"replayed/{FIRST}": ["100"]}
    run("--reason", "unknown_currency")
    assert stored(aws) == {FIRST: ["101"], f"replayed/{FIRST}": ["100", "102"]}
    assert [record["Data"] for record in streamed(aws)] == [b"1", b"3"]


def test_edited_records_are_sent_and_the_dropped_ones_stay(aws: Connection, tmp_path: Path) -> None:
    bad = b'{"card_id":"c-7","currency":"EURO"}'
    keep(aws, FIRST, refused("100", bad), refused("101", b"given up"), refused("102", b"\xff"))
    file = tmp_path / "rejected.jsonl"
    assert run("--out", str(file))[0] == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert rows[0]["record"] == {"card_id": "c-7", "currency": "EURO"}
    assert rows[0]["reason"].startswith("currency:")
    assert base64.b64decode(rows[2]["data"]) == b"\xff"
    rows[0]["record"]["currency"] = "EUR"
    file.write_text(json.dumps(rows[0]) + "\n\n" + json.dumps(rows[2]) + "\n")

    code, output = run("--from", str(file))
    assert (code, "2 records sent again" in output) == (0, True)
    first, second = streamed(aws)
    assert json.loads(first["Data"]) == {"card_id": "c-7", "currency": "EUR"}
    assert (first["PartitionKey"], second["Data"]) == ("c-7", b"\xff")
    assert stored(aws) == {FIRST: ["101"], f"replayed/{FIRST}": ["100", "102"]}

    code, output = run("--from", str(file))
    assert (code, len(streamed(aws))) == (0, 2)
    assert "2 of the file's records wait no longer" in output


def test_what_nobody_edits_goes_back_byte_by_byte(aws: Connection, tmp_path: Path) -> None:
    odd = [b"[" * 20_000, b'"text"', b"null", b"plain", b"\xff", b'{"a":' * 9, "é".encode()]
    keep(aws, FIRST, *(refused(str(100 + n), data) for n, data in enumerate(odd)))
    file = tmp_path / "rejected.jsonl"
    assert run("--out", str(file))[0] == 0
    assert run("--from", str(file))[0] == 0
    assert [record["Data"] for record in streamed(aws)] == odd


@pytest.mark.parametrize(
    ("line", "told"),
    [("{", "line 1: is not what --out wrote"), ('{"object": "a"}', "has no 'sequence_number'"), ("[]", "line 1")],
)
def test_a_spoilt_file_is_refused_before_anything_is_sent(
    aws: Connection, tmp_path: Path, line: str, told: str
) -> None:
    file = tmp_path / "spoilt.jsonl"
    file.write_text(line)
    code, output = run("--from", str(file))
    assert code == 1
    assert told in output.replace("\n", "")


def test_wrong_use_is_told(aws: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "f"
    file.touch()
    assert "no replay" in run("weather")[1]
    assert run("--out", str(file), "--from", str(file))[0] == 2

    def nowhere(target: object = None) -> Connection:
        raise PlatformError("No local platform runs.", "Run `cuatro up`.")

    monkeypatch.setattr(command, "connect", nowhere)
    code, output = run()
    assert (code, "Run `cuatro up`." in output) == (1, True)


def test_a_run_cut_off_while_moving_loses_nothing(aws: Connection) -> None:
    keep(aws, FIRST, refused("100", b"1"), refused("101", b"2"))
    s3 = aws.client("s3")
    (first, *_) = rejected.rejections(s3, BUCKET, "fraud")
    rejected.settle(s3, BUCKET, [first])
    keep(aws, FIRST, refused("100", b"1"), refused("101", b"2"))  # as if the object had not been rewritten yet
    rejected.settle(s3, BUCKET, list(rejected.rejections(s3, BUCKET, "fraud")))
    assert stored(aws) == {f"replayed/{FIRST}": ["100", "101"]}


def test_an_edited_interaction_goes_to_its_user(aws: Connection, tmp_path: Path) -> None:
    key = "recommendations/2026/11/22/shardId-0-100.jsonl"
    keep(aws, key, refused("100", b'{"user_id":"u 1","card_id":"c"}'))
    file = tmp_path / "rejected.jsonl"
    assert run("recommendations", "--out", str(file))[0] == 0
    file.write_text(file.read_text().replace("u 1", "u-1"))
    assert run("recommendations", "--from", str(file))[0] == 0
    (record,) = streamed(aws)
    assert (record["PartitionKey"], json.loads(record["Data"])) == ("u-1", {"user_id": "u-1", "card_id": "c"})
    assert stored(aws) == {f"replayed/{key}": ["100"]}
