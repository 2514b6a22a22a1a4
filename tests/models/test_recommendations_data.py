"""Files of interactions of every documented shape are read alike; what is held back is each user's newest."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.recommendations import data
from models.recommendations.data import Histories

ROWS = [("ann", "tea", 5, 300), ("bob", "tea", 2, 50), ("ann", "milk", 4, 100), ("ann", "jam", 3, 200)]
EXPECTED = {"ann": ["milk", "jam", "tea"], "bob": ["tea"]}


def written(path: Path, separator: str, header: str | None, columns: tuple[int, ...] = (0, 1, 2, 3)) -> Path:
    lines = [separator.join(str(row[at]) for at in columns) for row in ROWS]
    path.write_text("\n".join([header, *lines] if header else lines) + "\n", encoding="utf-8")
    return path


def lists(histories: Histories) -> dict[str, list[str]]:
    ends = zip(histories.users, histories.offsets[:-1], histories.offsets[1:], strict=True)
    return {user: [histories.names[code] for code in histories.items[start:end]] for user, start, end in ends}


@pytest.mark.parametrize(
    ("separator", "header", "columns"),
    [
        (",", None, (0, 1, 2, 3)),
        ("\t", None, (0, 1, 3)),
        ("\t", "user_id:token\titem_id:token\trating:float\ttimestamp:float", (0, 1, 2, 3)),
        (",", "timestamp,item,user", (3, 1, 0)),
        (",", '"userId","movieId","rating","timestamp"', (0, 1, 2, 3)),
    ],
)
def test_every_shape_of_file_gives_the_same_histories(
    tmp_path: Path, separator: str, header: str | None, columns: tuple[int, ...]
) -> None:
    found = data.histories(data.read(written(tmp_path / "x.csv", separator, header, columns)))
    assert lists(found) == EXPECTED
    assert found.timed
    assert found.days * data.DAY == pytest.approx([100, 200, 300, 50])


def test_one_line_a_user_is_in_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("ann milk jam tea\nbob tea\n")
    found = data.histories(data.read(tmp_path / "x.txt"))
    assert lists(found) == EXPECTED
    assert not found.timed


def test_gzip_and_dates_and_milliseconds(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "x.csv.gz", "wt", encoding="utf-8") as file:
        file.write("user,item,time\nann,tea,2026-01-02T00:00:00Z\nann,milk,2026-01-01T00:00:00+00:00\n")
    found = data.histories(data.read(tmp_path / "x.csv.gz"))
    assert lists(found) == {"ann": ["milk", "tea"]}
    assert np.diff(found.days) == pytest.approx([1])
    (tmp_path / "y.csv").write_text("ann,tea,1767312000000\nann,milk,1767225600000\n")
    assert data.histories(data.read(tmp_path / "y.csv")).days == pytest.approx(found.days)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "empty"),
        ("ann\n", "user and an item"),
        ("a,b,c,d,e\n", "5 columns"),
        ("ann tea 5 300\nann jam 3 200\n", "several lines"),
        ("ann,tea,1\nbob,,2\n", "row 2"),
        ("ann,tea,1\nbob,jam,soon\n", "'soon'"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(ValueError, match=complaint):
        data.read(tmp_path / "x.csv")


def test_of_a_repeated_item_the_newest_counts(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("ann,tea,1\nann,jam,2\nann,tea,3\n")
    assert lists(data.histories(data.read(tmp_path / "x.csv"))) == {"ann": ["jam", "tea"]}


def test_unicode_and_separators_in_names_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('Zoë,"tea, green",1\nZoë,茶,2\n001,NA,3\n1,NA,4\n', encoding="utf-8")
    found = lists(data.histories(data.read(tmp_path / "x.csv")))
    assert found == {"001": ["NA"], "1": ["NA"], "Zoë": ["tea, green", "茶"]}


def table(rows: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["user", "item"]).assign(time=0.0, timed=False)


def test_the_newest_is_held_back_and_nobody_is_left_with_nothing() -> None:
    whole = data.histories(table([("a", "x"), ("a", "y"), ("a", "z"), ("b", "x")]))
    train, held = data.hold_back(whole)
    assert lists(train) == {"a": ["x", "y"], "b": ["x"]}
    assert [whole.names[code] for code in held.items] == ["z"]
    assert held.users.tolist() == [0]


def test_a_share_of_the_newest_is_held_back() -> None:
    whole = data.histories(table([("a", str(number)) for number in range(10)] + [("b", "1"), ("b", "2")]))
    train, held = data.hold_back(whole, 0.2)
    assert lists(train) == {"a": [str(number) for number in range(8)], "b": ["1"]}
    assert [(held.users[row], whole.names[code]) for row, code in zip(held.rows, held.items, strict=True)] == [
        (0, "8"),
        (0, "9"),
        (1, "2"),
    ]


def test_test_rows_that_cannot_be_hit_are_told_apart() -> None:
    train = data.histories(table([("a", "x"), ("a", "y"), ("b", "x")]))
    held, left_out = data.held_from(table([("a", "x"), ("b", "new"), ("b", "y"), ("c", "x")]), train)
    assert left_out == {"user_not_in_training": 1, "already_in_training": 1}
    assert held.users.tolist() == [1]
    assert held.items.tolist() == [-1, train.names.index("y")]
