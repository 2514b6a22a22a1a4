"""The lake's labels become a training set split in time: each post and each text once, and nothing of the future."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from functions.sentiment.lake import LabelRecorded, line
from models.sentiment import dataset
from models.sentiment.dataset import Windows, build, side_of
from models.sentiment.reading import recent
from tests.models.sentiment_posts import KNOWN, START, Written, history, labelled, posts, scored, write

END = START + timedelta(days=20)
WINDOWS = Windows.of(END, 13, 7)


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    return history(np.random.default_rng(3), 120)


def built(lake: Path, rows: list[dict[str, Any]], fewest: int = 60) -> dataset.Dataset:
    write(lake, rows)
    return build(str(lake), WINDOWS, fewest)


def test_labels_are_split_by_when_they_were_given(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    found = built(tmp_path, rows)
    train, evaluate = found.train.labelled, found.evaluate.labelled
    assert (len(train), len(evaluate)) == (78, 42)
    assert found.summary["rows"] == {"train": 78, "evaluate": 42}
    assert not set(train["text"]) & set(evaluate["text"])
    by_post = {row["post"]: row for row in rows if "post" in row}
    begin = WINDOWS.evaluate[0].isoformat()
    assert all(by_post[post]["time"] < begin for post in train["post"])
    assert all(by_post[post]["time"] >= begin for post in evaluate["post"])
    assert [("negative", "neutral", "positive")[label] for label in train["label"]] == [
        by_post[post]["human_label"] for post in train["post"]
    ], "what the person said, not the model"


def test_the_newest_label_of_a_post_and_of_a_text_holds(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    first, second = rows[0], rows[1]
    later = (WINDOWS.train[0] + timedelta(days=2)).isoformat()
    again = {**first, "human_label": "positive", "time": later}
    # The same text under another name, shouted, and said after training ended: it is measured with, not learned.
    shouted = second["text"].replace("the", "THE").replace(" ", "  ")
    after = (WINDOWS.evaluate[0] + timedelta(days=1)).isoformat()
    twin = {**second, "post": "acme#web#twin", "text": shouted, "human_label": "neutral", "time": after}
    found = built(tmp_path, [*rows, again, twin, first])
    train, evaluate = found.train.labelled, found.evaluate.labelled
    assert train.set_index("post").loc[first["post"], "label"] == 2
    assert second["post"] not in set(train["post"])
    assert evaluate.set_index("post").loc["acme#web#twin", "label"] == 1
    assert found.summary["left_out"] == {
        "unreadable": 0, "too_late": 0, "empty": 0, "relabelled": 2, "same_text": 1,
    }  # fmt: skip


def test_what_comes_after_the_end_or_says_nothing_is_left_out(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    late = labelled(900, Written("later", 1), END)
    empty = labelled(901, Written("\u200b  ", 1), START)
    found = built(tmp_path, [*rows, late, empty])
    assert (found.summary["left_out"]["too_late"], found.summary["left_out"]["empty"]) == (1, 1)
    assert not {late["post"], empty["post"]} & {*found.train.labelled["post"], *found.evaluate.labelled["post"]}


def test_recent_posts_are_of_each_side_s_days_without_labelled_ones(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    of_label = [scored(7000 + n, row["text"], START + timedelta(days=19)) for n, row in enumerate(rows[:20])]
    noise = [
        scored(8000, "great coffee, a repost", START + timedelta(days=19), repost=True),
        scored(8001, "who knows", START + timedelta(days=19), backend="comprehend:unsupported"),
        scored(8002, "🙃", START + timedelta(days=19), brand="other"),
    ]
    found = built(tmp_path, [*rows, *of_label, *noise])
    train, evaluate = found.train.recent, found.evaluate.recent
    assert (len(train), len(evaluate)) == (195, 106)
    assert set(evaluate["brand"]) == {"acme", "other"}, "each brand is a folder of its own"
    texts = [*train["text"], *evaluate["text"], *found.train.labelled["text"], *found.evaluate.labelled["text"]]
    assert len(texts) == len(set(texts))
    assert not {"great coffee, a repost", "who knows"} & set(texts)


def test_a_sample_is_the_same_for_the_same_lake_and_not_the_first_posts(tmp_path: Path) -> None:
    rows = [scored(n, post.text, START) for n, post in enumerate(posts(np.random.default_rng(1), 200, KNOWN))]
    write(tmp_path / "one", rows)
    write(tmp_path / "other", rows[::-1])
    drawn = [recent(str(tmp_path / name), START, END, 20, set()) for name in ("one", "other")]
    assert [each.key for each in drawn[0]] == [each.key for each in drawn[1]]
    assert len(drawn[0]) == 20
    assert {int(each.id) for each in drawn[0]} - set(range(40))


def test_what_is_written_is_read_again_and_hashed(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    found = built(tmp_path / "lake", rows)
    found.write(tmp_path / "out")
    assert dataset.digest(side_of(tmp_path / "out" / "train")) == found.summary["data_hash"]
    told = json.loads((tmp_path / "out" / "summary" / "summary.json").read_text())
    assert told == found.summary
    changed = built(tmp_path / "other", [{**rows[0], "human_label": "positive"}, *rows[1:]])
    assert changed.summary["data_hash"] != found.summary["data_hash"]


@pytest.mark.parametrize(
    ("keep", "fewest", "why"),
    [
        (lambda row: True, 100, "78 labelled posts for training .* at least 100 are needed: correct or confirm more"),
        (
            lambda row: row["time"] < WINDOWS.evaluate[0].isoformat(),
            60,
            "0 labelled posts for evaluation .* at least 20",
        ),
        (lambda row: row["human_label"] != "neutral", 30, "'neutral': 0.* at least 5 of each class"),
    ],
)
def test_too_few_labels_are_told_with_what_to_do(
    tmp_path: Path, rows: list[dict[str, Any]], keep: Any, fewest: int, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        built(tmp_path, [row for row in rows if "post" in row and keep(row)], fewest)


def test_many_damaged_lines_are_no_luck(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    write(tmp_path, rows)
    place = next((tmp_path / "labels").glob("dt=*")) / "damaged"
    place.write_text("{}\n")
    assert build(str(tmp_path), WINDOWS, 60).summary["left_out"]["unreadable"] == 1
    place.write_text("{\n" * 9)
    with pytest.raises(ValueError, match="cannot be read"):
        build(str(tmp_path), WINDOWS, 60)


def test_a_lake_that_is_not_there_and_windows_without_length(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        build(str(tmp_path / "nowhere"), WINDOWS, 60)
    with pytest.raises(ValueError, match="above 0"):
        Windows.of(END, 0, 7)


def test_the_lines_here_are_those_that_are_delivered() -> None:
    row = labelled(1, Written("great", 2), START)
    assert json.loads(line(msgspec.convert(row, LabelRecorded))).keys() == row.keys()
