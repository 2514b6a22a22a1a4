"""A person's label of a post over the API: the newest wins, a repeat changes nothing, and what is wrong is said."""

from typing import Any

import pytest

from functions.sentiment import outbox
from tests.functional.sentiment.suite import Suite, post

KEY = "northwind#web#p-1"


@pytest.fixture
def told(suite: Suite) -> Suite:
    suite.classify(post(1, "Awful terrible broken coffee"))
    return suite


def label(suite: Suite, body: Any, key: str = KEY, **headers: str) -> tuple[int, Any]:
    return suite.call("POST", "/posts/{post}/label", body, post=key, headers=headers)


def test_a_label_stands_beside_the_models(told: Suite) -> None:
    status, answer = label(told, {"label": "neutral", "by": "desk-2", "note": "irony"}, **{"x-correlation-id": "c-1"})
    assert (status, answer["changed"]) == (200, True)
    row = told.rows()[KEY]
    assert (row.label, row.human_label) == ("negative", "neutral")
    entry = outbox.decode(told.items("posts")[KEY]["d"])
    assert isinstance(entry, outbox.Relabelled)
    assert (entry.before, entry.after, entry.by, entry.note, entry.correlation_id) == (
        None, "neutral", "desk-2", "irony", "c-1",
    )  # fmt: skip


def test_a_note_is_redacted_as_posts_are(told: Suite) -> None:
    label(told, {"label": "neutral", "note": "ask\u200b @someone, someone@example.com or +44 20 7946 0958"})
    told.tally()
    (line,) = told.lines("lake", "sentiment/labels/")
    assert line["note"] == "ask @user, [email] or [phone]"


def test_the_same_again_changes_nothing(told: Suite) -> None:
    label(told, {"label": "neutral"})
    number = told.items("posts")[KEY]["n"]
    status, answer = label(told, {"label": "neutral"})
    assert (status, answer["changed"], answer["human_label"]) == (200, False, "neutral")
    assert told.items("posts")[KEY]["n"] == number


def test_that_the_model_was_right_is_a_label_too(told: Suite) -> None:
    assert label(told, {"label": "negative"})[1]["changed"] is True
    told.tally()
    (line,) = told.lines("lake", "sentiment/labels/")
    assert line["human_label"] == line["label"] == "negative"


def test_the_newest_wins_also_against_one_at_the_same_time(told: Suite) -> None:
    def other() -> None:
        with told.wire.undisturbed():
            label(told, {"label": "positive"})

    told.wire.first("BatchExecuteStatement", other)
    assert label(told, {"label": "neutral"})[1]["changed"] is True
    assert told.rows()[KEY].human_label == "neutral"
    entry = outbox.decode(told.items("posts")[KEY]["d"])
    assert isinstance(entry, outbox.Relabelled)
    assert entry.before == "positive"


def test_a_lost_answer_is_no_second_label(told: Suite) -> None:
    told.wire.lose_answer("BatchExecuteStatement")
    assert label(told, {"label": "neutral"})[0] == 200
    assert told.rows()[KEY].human_label == "neutral"
    told.tally()
    assert len(told.events("PostRelabelled")) == 1


def test_while_the_row_is_throttled_the_caller_tries_again(told: Suite) -> None:
    told.wire.throttle(KEY, 100)
    assert label(told, {"label": "neutral"})[0] == 503
    told.wire.repair()
    assert label(told, {"label": "neutral"})[0] == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "label"), ({"label": "angry"}, "label"), ({"label": None}, "label"), (b"{", None), ([], None),
        ({"label": "neutral", "by": "x" * 65}, "by"),
        ({"label": "neutral", "by": "me@example.com"}, "by"), ({"label": "neutral", "note": "x" * 501}, "note"),
        ({"label": "neutral", "version": 2}, "version"),
    ],
)  # fmt: skip
def test_a_bad_label_is_refused_with_its_field(told: Suite, body: Any, field: str | None) -> None:
    status, answer = label(told, body)
    assert (status, answer["error"]["field"]) == (400, field)
    assert told.rows()[KEY].human_label is None


def test_a_post_that_is_not_there(told: Suite) -> None:
    assert label(told, {"label": "neutral"}, "northwind#web#gone")[0] == 404
    status, answer = label(told, {"label": "neutral"}, "a\nb")
    assert (status, answer["error"]["field"]) == (400, "post")
