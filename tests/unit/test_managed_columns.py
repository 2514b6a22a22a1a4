"""Files of interactions and of items -> the columns of Personalize's datasets: kinds and values are kept."""

import csv
from pathlib import Path

import pytest

from local.managed import columns
from local.platform.errors import PlatformError


def converted(tmp_path: Path, text: str, name: str = "file.csv") -> list[dict[str, str]]:
    source, target = tmp_path / name, tmp_path / "out.csv"
    source.write_text(text, encoding="utf-8")
    count = columns.interactions(source, target)
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count
    return rows


def test_a_table_keeps_kinds_and_values(tmp_path: Path) -> None:
    rows = converted(
        tmp_path,
        "event_id,user_id,item_id,kind,time,value\n"
        "e1,u1,i1,purchase,2026-01-01T00:00:10Z,12.5\n"
        "e2,u2,i2,view,2026-01-01T00:00:20Z,\n",
    )
    assert [(row["USER_ID"], row["ITEM_ID"], row["EVENT_TYPE"], row["EVENT_VALUE"]) for row in rows] == [
        ("u1", "i1", "purchase", "12.5"), ("u2", "i2", "view", ""),
    ]  # fmt: skip
    assert int(rows[1]["TIMESTAMP"]) - int(rows[0]["TIMESTAMP"]) == 10


def test_a_table_without_kinds_has_views(tmp_path: Path) -> None:
    rows = converted(tmp_path, "u1\ti1\t1700000000\nu2\ti2\t1700000001\n", "file.tsv")
    assert {row["EVENT_TYPE"] for row in rows} == {"view"}
    assert [row["TIMESTAMP"] for row in rows] == ["1700000000", "1700000001"]


def test_a_kind_that_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="stare"):
        converted(tmp_path, "user_id,item_id,time,kind\nu1,i1,2026-01-01T00:00:00Z,stare\n")
