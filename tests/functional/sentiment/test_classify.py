"""classify: what of a post is written where, once each, and what is told to Firehose."""

import base64
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from cuatro import prices
from cuatro.posts import decode_scored
from functions.sentiment import outbox
from tests.functional import tiny_classifier
from tests.functional.sentiment.suite import Suite, ago, post, results, scored_of

Metrics = Callable[[], Counter[str]]
WORDS = "Northwind Coffee on a table: is it any good, or what?"


def test_a_post_gets_its_class_its_row_and_its_lines(suite: Suite, metrics: Metrics) -> None:
    day = ago(2 * 86_400)[:10]
    answer = suite.classify(post(1, time=f"{day}T23:59:58.250+01:00", likes=3, url="https://a.example/1"))
    (line,) = scored_of(answer)
    assert (line["label"], line["language"], line["dt"], line["likes"]) == ("positive", "en", day, 3)
    assert sum(line["probabilities"]) == pytest.approx(1)
    assert (line["backend"], line["model_version"]) == ("onnx", "tiny-1")
    assert (line["shadow"], line["human_label"]) == (None, None)
    assert line["time"] == f"{day}T22:59:58.250000Z"
    assert answer[0]["metadata"] == {"partitionKeys": {"brand": "northwind", "dt": day}}
    row = suite.items("posts")["northwind#web#p-1"]
    assert decode_scored(row["p"]) == decode_scored(base64.b64decode(answer[0]["data"]))
    assert (row["b"], row["n"], row["r"]) == ("northwind", 1, "record-1")
    assert row["t"] == datetime.fromisoformat(line["time"]).timestamp() * 1000
    assert outbox.decode(row["d"]) == outbox.Classified()
    (raw,) = suite.raw()
    assert (raw["text"], raw["dt"], raw["brand"]) == (line["text"], day, "northwind")
    assert "label" not in raw
    counted = metrics()
    assert (counted["PostsClassified"], counted["Duplicates"]) == (1, 0)
    assert counted["PostToScored"] >= 0


def test_each_text_gets_the_verdict_that_is_its_own(suite: Suite) -> None:
    texts = ["awful, terrible", "the monday report", "wonderful, I love it", "", "\U0001f600", "x" * 10_000]
    lines = scored_of(suite.classify(*[post(number, text) for number, text in enumerate(texts)]))
    assert [each["label"] for each in lines[:3]] == ["negative", "neutral", "positive"]
    assert [each["text"] for each in lines] == texts
    assert (lines[3]["backend"], lines[3]["unsure"], lines[3]["label"]) == ("onnx:unsupported", True, "neutral")
    assert lines[4]["language"] == "und"


def test_the_same_page_twice_is_one_post_each(suite: Suite, metrics: Metrics) -> None:
    page = [post(number, f"number {number} is awful, they say, and more") for number in range(3)]
    assert results(suite.classify(*page)) == ["Ok"] * 3
    assert results(suite.classify(*page)) == ["Dropped"] * 3
    assert results(suite.classify(page[0], post(9), post(9))) == ["Dropped", "Ok", "Dropped"]
    assert len(suite.rows()) == len(suite.raw()) == 4
    counted = metrics()
    assert (counted["PostsClassified"], counted["Duplicates"]) == (4, 5)


def test_a_post_about_two_brands_is_one_of_each(suite: Suite) -> None:
    answer = suite.classify(post(1), post(1, brand="southwind"))
    assert results(answer) == ["Ok", "Ok"]
    assert not any(each["repost"] for each in scored_of(answer))


def test_an_answer_that_firehose_never_got_is_given_again(suite: Suite, metrics: Metrics) -> None:
    records = suite.records_of(post(1), post(2, "awful, all of it, and I will not come back"))
    first = suite.transform(records)
    assert suite.transform(records) == first
    assert suite.transform(records[1:]) == first[1:], "in another batch too"
    assert len(suite.rows()) == 2
    assert metrics()["PostsClassified"] == 2


def test_what_is_sent_by_hand_after_a_failure_reaches_the_lake(suite: Suite) -> None:
    first = suite.classify(post(1))
    answer = suite.classify(post(1, replayed=True))
    assert results(answer) == ["Ok"]
    assert scored_of(answer) == scored_of(first)
    assert results(suite.classify(post(1))) == ["Dropped"]


def test_reposts_are_told_by_the_networks_word_or_by_the_same_words(suite: Suite) -> None:
    lines = scored_of(
        suite.classify(
            post(1, f"{WORDS} https://a.example/1"),
            post(2, f"RT @user {WORDS.upper()}"),
            post(3, "something else altogether, of which nobody spoke", repost_of="elsewhere"),
            post(4, "short"),
            post(5, "short"),
            post(6, WORDS, brand="southwind"),
        )
    )
    assert [each["repost"] for each in lines] == [False, True, True, False, False, False]
    assert scored_of(suite.classify(post(7, WORDS)))[0]["repost"], "of another batch"


def test_who_first_says_the_words_owns_them_also_when_it_comes_again(suite: Suite) -> None:
    records = suite.records_of(post(1, WORDS))
    assert not scored_of(suite.transform(records))[0]["repost"]
    assert not scored_of(suite.transform(records))[0]["repost"]
    copy = post(2, WORDS, repost_of="p-3")
    assert scored_of(suite.classify(copy))[0]["repost"]
    assert not scored_of(suite.classify(post(3, f"{WORDS} And more", repost_of="p-3")))[0]["repost"], "of itself"


def test_a_copy_that_comes_before_its_original_does_not_own_its_words(suite: Suite) -> None:
    suite.classify(post(1, WORDS, repost_of="p-2"))
    assert not scored_of(suite.classify(post(2, WORDS)))[0]["repost"]


def test_the_same_words_days_later_are_a_new_post(suite: Suite, policy: Callable[..., None]) -> None:
    suite.classify(post(1, WORDS))
    ((key, row),) = [(key, row) for key, row in suite.items("posts").items() if key.startswith("text#")]
    from cuatro.adapters.dynamodb import dynamo  # noqa: PLC0415

    dynamo().put_all("posts", [{**row, "x": 1}])
    assert not scored_of(suite.classify(post(2, WORDS)))[0]["repost"]
    assert suite.items("posts")[key]["o"] == "northwind#web#p-2"
    policy(repost_window_h=0)
    assert not scored_of(suite.classify(post(3, WORDS)))[0]["repost"], "where no window is wanted"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"time": ago(31 * 86_400)}, "time_too_old"),
        ({"time": "1969-12-31T23:59:59Z"}, "time_too_old"),
        ({"collected_at": ago(-86_400)}, "time_in_future"),
        ({"time": ago(60)[:19]}, "time_without_zone"),
        ({"version": 2}, "unknown_version"),
        ({"brand": "North Wind"}, "invalid_value"),
        ({"id": ""}, "invalid_value"),
        ({"text": None}, "wrong_type"),
        ({"text": "x" * 10_001}, "invalid_value"),
        ({"network": "carrier-pigeon"}, "invalid_value"),
    ],
)
def test_what_cannot_be_used_is_kept_with_its_reason_and_dropped(
    suite: Suite, metrics: Metrics, change: dict[str, object], code: str
) -> None:
    assert results(suite.classify(post(1), post(2, **change))) == ["Ok", "Dropped"]
    (line,) = suite.rejected()
    assert line["code"] == code
    assert b"p-2" in base64.b64decode(line["data"]) or change.get("id") == ""
    assert len(suite.rows()) == 1
    assert metrics()["Rejected"] == 1


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[]", b'{"version":1}', b"[" * 50_000, b" " * 131_073])
def test_hostile_bytes_stop_nothing(suite: Suite, data: bytes) -> None:
    assert results(suite.classify(post(1), data, post(2))) == ["Ok", "Dropped", "Ok"]
    assert len(suite.rejected()) == 1


def test_a_clock_that_is_ahead_is_set_right(suite: Suite) -> None:
    (line,) = scored_of(suite.classify(post(1, time=ago(-86_400))))
    assert line["time_adjusted"]
    assert line["time"] == line["collected_at"]
    (line,) = scored_of(suite.classify(post(2, time=ago(-120))))
    assert not line["time_adjusted"], "clocks differ"


def test_the_version_that_follows_is_asked_too_and_harms_nothing(
    suite: Suite, environment: pytest.MonkeyPatch, tmp_path: Path, metrics: Metrics
) -> None:
    environment.setenv("SHADOW_MODEL_URI", str(tiny_classifier.save(tmp_path, version="tiny-2", weight=0.1)))
    from cuatro.config import settings  # noqa: PLC0415

    settings.cache_clear()
    (line,) = scored_of(suite.classify(post(1)))
    assert (line["model_version"], line["shadow"]["version"], line["shadow"]["unsure"]) == ("tiny-1", "tiny-2", True)
    environment.setenv("SHADOW_MODEL_URI", str(tmp_path / "gone.onnx"))
    settings.cache_clear()
    metrics()
    (line,) = scored_of(suite.classify(post(2, "awful, terrible: not one good thing about it")))
    assert (line["label"], line["shadow"]) == ("negative", None)
    assert metrics()["ShadowFailed"] == 1


def test_an_empty_batch_is_answered(suite: Suite) -> None:
    assert suite.transform([]) == []
    assert suite.wire.calls.total() == 0


def test_when_the_second_opinion_is_away_the_first_verdict_stands(
    suite: Suite, policy: Callable[..., None], metrics: Metrics
) -> None:
    policy(second_opinion=f"bedrock:{next(iter(prices.BEDROCK))}", unsure_below=0.9999)
    suite.wire.down("POST")
    (line,) = scored_of(suite.classify(post(1)))
    assert (line["label"], line["backend"], line["unsure"]) == ("positive", "onnx", True)
    counted = metrics()
    assert (counted["SecondOpinions"], counted["SecondOpinionsUnanswered"]) == (0, 1)
    (budget,) = suite.items("cursors").values()
    assert budget["microusd"] == 0, "what was not used is given back"


def test_when_the_budget_is_spent_nobody_is_asked(suite: Suite, policy: Callable[..., None], metrics: Metrics) -> None:
    policy(second_opinion=f"bedrock:{next(iter(prices.BEDROCK))}", unsure_below=0.9999, monthly_budget_usd=0.0)
    assert results(suite.classify(post(1))) == ["Ok"]
    assert metrics()["SecondOpinionsUnpaid"] == 1
    assert suite.wire.calls["POST"] == 0
