"""A file of items, checked line by line, lies in the table of items; what DynamoDB throttles is put again."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from cuatro.adapters.attributes import decoded_image
from functions.recommendations.catalogue import entry
from local.cli.catalog import app
from local.feed.catalogue import MAX_ITEM_BYTES, TRIES, ItemError, get_item, item, put_items, unknown
from local.feed.rows import Row, rows
from local.platform.client import Connection
from local.platform.errors import PlatformError
from tests.unit.replaying import mocked

__all__ = ["mocked"]  # the fixture `aws`

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TABLE = "items"
TENT = {
    "item_id": "tent-1", "title": "Zelt „Küste“", "category": "camping", "tags": ["tent", "ultra light"],
    "available": False, "added": "2026-11-10T11:49:18.000Z", "price": 303.95,
    "image_url": "https://img.example/t.jpg", "url": "https://shop.example/t?a=1",
}  # fmt: skip


@pytest.fixture(name="shop")
def with_table(aws: Connection, monkeypatch: pytest.MonkeyPatch) -> Connection:
    aws.client("dynamodb").create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "item_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "item_id", "AttributeType": "S"}],
    )  # fmt: skip
    monkeypatch.setattr(Connection, "outputs", lambda self, stack: {"ItemsTable": TABLE})
    monkeypatch.setattr("local.platform.client.connect", lambda *_: aws)
    return aws


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "160", "NO_COLOR": "1"})
    return result.exit_code, result.output


def stored(shop: Connection) -> dict[str, dict[str, Any]]:
    items = shop.client("dynamodb").scan(TableName=TABLE)["Items"]
    return {found["item_id"]: found for found in map(decoded_image, items)}


def row(**fields: Any) -> Row:
    return Row(1, b"", {"item_id": "i"} | fields)


def test_every_format_gives_the_same_item(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(TENT) + "\n")
    table = pd.DataFrame([TENT])
    table.to_parquet(tmp_path / "a.parquet")
    table.assign(tags="tent|ultra light").to_csv(tmp_path / "a.csv", index=False)
    table.assign(tags='["tent", "ultra light"]', added=1793101758 + 1199400).to_csv(tmp_path / "b.csv", index=False)
    for name in ("a.jsonl", "a.parquet", "a.csv"):
        (found,) = rows(str(tmp_path / name))
        assert item(found, NOW) == TENT, name
    (found,) = rows(str(tmp_path / "b.csv"))
    assert item(found, NOW)["tags"] == TENT["tags"]


def test_only_the_id_is_needed() -> None:
    assert item(row(item_id=7), NOW) == {"item_id": "7", "available": True, "added": "2026-11-23T10:00:00.000Z"}
    assert item(row(title=None, tags=[]), NOW)["tags"] == []
    assert unknown(row(Title="a", brand="b", colour="c")) == {"brand", "colour"}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"item_id": None}, "item_id is missing"), ({"item_id": "a/b"}, "item_id must be without"),
        ({"item_id": " a"}, "item_id must be"), ({"item_id": "x" * 129}, "item_id must be 1 to 128"),
        ({"item_id": True}, "item_id must be text"), ({"title": "x" * 201}, "title must be text of 1 to 200"),
        ({"title": "a\x00b"}, "title must be"), ({"title": "\ud800"}, "title must be"),
        ({"title": {}}, "title must be"),
        ({"category": "c" * 65}, "category must be"), ({"tags": ["x"] * 17}, "tags must be at most 16"),
        ({"tags": ["x" * 33]}, "tags must be text of 1 to 32"), ({"tags": "[1"}, "tags begin like JSON"),
        ({"tags": 5}, "tags must be"), ({"available": "maybe"}, "available must be true or false"),
        ({"added": "soon"}, "added must be a time"), ({"price": -1}, "price must be a number"),
        ({"price": "NaN"}, "price must be"), ({"price": True}, "price must be"), ({"price": "1,50"}, "price must be"),
        ({"url": "javascript:alert(1)"}, "url must begin with http"), ({"image_url": "//x"}, "image_url must begin"),
        ({"url": "https://x/" + "é" * 1000, "image_url": "https://x/" + "é" * 1000, "title": "é" * 200}, ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ItemError) as raised:
        item(row(**fields), NOW)
    assert str(raised.value).startswith(why or "4,"), raised.value
    assert why or f"at most {MAX_ITEM_BYTES:,}" in str(raised.value)


def test_an_import_is_what_lists_read(shop: Connection, tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    lines = [TENT | {"item_id": f"i-{number}", "colour": "red"} for number in range(60)]
    lines += [{"item_id": "i-0", "title": "the last one wins"}, {"item_id": "bad", "price": "much"}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "[]\n")
    code, output = run("import", str(path))
    assert code == 1
    assert "line 62: price must be a number" in output
    assert "line 63: a JSON list" in output
    assert "no such column: colour" in output
    assert "2 lines bad" in output
    found = stored(shop)
    assert len(found) == 60
    assert found["i-0"]["title"] == "the last one wins"
    assert found["i-1"] == TENT | {"item_id": "i-1"}
    read = entry(found["i-1"])
    assert (read.title, read.available, read.tags) == (TENT["title"], False, frozenset(TENT["tags"]))  # type: ignore[call-overload]
    code, output = run("show", "i-1")
    assert (code, json.loads(output)) == (0, TENT | {"item_id": "i-1"})
    assert get_item(shop, TABLE, "none") is None


def test_nothing_is_imported_when_that_is_asked_for(shop: Connection, tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("item_id,available\na,true\nb,perhaps\n")
    code, output = run("import", str(path), "--strict")
    assert (code, "Nothing was imported: 1 of 2 lines are bad." in output) == (1, True)
    code, output = run("import", str(path), "--dry-run")
    assert (code, "1 items checked, 1 lines bad" in output) == (1, True)
    assert not stored(shop)
    path.write_text("item_id,available\na,true\nb,no\n")
    assert run("import", str(path), "--strict")[0] == 0
    assert {name: found["available"] for name, found in stored(shop).items()} == {"a": True, "b": False}


def test_what_is_throttled_is_put_again(shop: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.feed.catalogue.FIRST_WAIT_S", 0)
    items = [{"item_id": f"i{number}"} for number in range(40)]
    throttled = _throttling(monkeypatch, shop, lambda tries: tries % 3 != 0)
    counted: list[int] = []
    assert put_items(shop, TABLE, items, counted.append) == 40
    assert sum(counted) == 40
    assert len(stored(shop)) == 40
    assert throttled


def test_a_table_that_refuses_for_good_is_told(shop: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.feed.catalogue.FIRST_WAIT_S", 0)
    throttled = _throttling(monkeypatch, shop, lambda tries: True)
    with pytest.raises(PlatformError, match="keeps refusing"):
        put_items(shop, TABLE, [{"item_id": "a"}])
    assert len(throttled) == TRIES


def _throttling(monkeypatch: pytest.MonkeyPatch, shop: Connection, throttle: Callable[[int], bool]) -> list[int]:
    """DynamoDB leaves all but one of a call's items undone when `throttle` says so (all, when only one is left)."""
    client, tries, throttled = shop.client("dynamodb"), 0, []
    write = client.batch_write_item

    def answer(RequestItems: dict[str, list[Any]]) -> dict[str, Any]:
        nonlocal tries
        tries += 1
        if not throttle(tries):
            return write(RequestItems=RequestItems)
        throttled.append(tries)
        puts = RequestItems[TABLE]
        if len(puts) > 1:
            write(RequestItems={TABLE: puts[:1]})
        return {"UnprocessedItems": {TABLE: puts[1:] or puts}}

    monkeypatch.setattr(client, "batch_write_item", answer)
    monkeypatch.setattr(Connection, "client", lambda self, service: client)
    return throttled
