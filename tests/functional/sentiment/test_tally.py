"""From rows of posts to aggregates, bus and the lake's labels: each write of a post counts once."""

from datetime import UTC, datetime, timedelta

import pytest

from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.errors import Unavailable
from functions.sentiment.aggregates import bucket
from tests.functional.sentiment.suite import Suite, ago, post
from tests.functional.sentiment.tallied import ALL_DONE, BAD, GOOD, NOON, classes, key, label, row


@pytest.fixture
def told(suite: Suite) -> Suite:
    """Two good posts of one minute and a bad one of the next, which is a Spanish one of another network."""
    time = NOON.isoformat()
    later = (NOON + timedelta(minutes=1)).isoformat()
    suite.classify(
        post(1, GOOD, time=time, language="en"),
        post(2, "Great coffee, wonderful Northwind Coffee", time=time, language="en"),
        post(3, BAD, time=later, network="mastodon", language="es"),
    )
    return suite


def test_posts_count_in_their_minute_hour_and_day(told: Suite) -> None:
    assert told.tally() == ALL_DONE
    assert classes(row(told, "minute")) == (0, 0, 2, 0)
    assert classes(row(told, "minute", NOON + timedelta(minutes=1))) == (1, 0, 0, 0)
    hour = row(told, "hour")
    assert classes(hour) == (1, 0, 2, 0)
    assert hour.minutes == {5: (2, 2, 0), 6: (1, 1, 1)}
    assert classes(row(told, "day")) == (1, 0, 2, 0)
    assert hour.total(network="mastodon").posts == 1
    assert hour.total(network="web").posts == 2


def test_every_post_is_told_on_the_bus_once(told: Suite) -> None:
    told.tally()
    events = told.events("PostClassified")
    assert sorted(each["post"] for each in events) == [key(3, "mastodon"), key(1), key(2)]
    (first,) = (each for each in events if each["post"] == key(1))
    assert (first["label"], first["brand"], first["text"], first["repost"]) == ("positive", "northwind", GOOD, False)
    assert first["time"].startswith(NOON.date().isoformat())


def test_a_repeated_delivery_counts_once(told: Suite) -> None:
    told.tally()
    told._delivered["posts"] = 0
    assert told.tally() == ALL_DONE
    assert classes(row(told, "day")) == (1, 0, 2, 0)
    assert len({each["post"] for each in told.events("PostClassified")}) == 3


def test_a_lost_answer_counts_once(told: Suite) -> None:
    told.wire.lose_answer("BatchExecuteStatement")
    assert told.tally() == ALL_DONE
    assert classes(row(told, "day")) == (1, 0, 2, 0)
    assert classes(row(told, "minute")) == (0, 0, 2, 0)


def test_a_throttled_minute_has_only_its_posts_wait(told: Suite) -> None:
    told.wire.throttle(bucket("northwind", "minute", NOON), 100)
    assert len(told.tally()["batchItemFailures"]) == 2
    assert [each["post"] for each in told.events("PostClassified")] == [key(3, "mastodon")]
    told.wire.repair()
    assert told.tally() == ALL_DONE
    assert classes(row(told, "minute")) == (0, 0, 2, 0)
    assert classes(row(told, "hour")) == (1, 0, 2, 0)
    assert len(told.events("PostClassified")) >= 3


def test_while_the_bus_takes_nothing_the_batch_waits(told: Suite) -> None:
    told.wire.down("PutEvents")
    with pytest.raises(Unavailable, match="the bus"):
        told.tally()
    told.wire.repair()
    assert told.tally() == ALL_DONE
    assert classes(row(told, "day")) == (1, 0, 2, 0)


def test_a_repost_counts_as_such_and_in_no_class(suite: Suite) -> None:
    time = NOON.isoformat()
    suite.classify(post(1, BAD, time=time))
    suite.classify(post(2, BAD, time=time, repost_of="p-1"))
    suite.tally()
    day = row(suite, "day")
    assert classes(day) == (1, 0, 0, 1)
    assert day.total().posts == 2
    assert [each.post for each in row(suite, "minute").samples] == [key(1)]


def test_a_correction_moves_one_count(told: Suite) -> None:
    told.tally()
    before = row(told, "hour").total().score
    assert label(told, key(1), "negative", by="someone", note="sarcasm") == (
        200, {"post": key(1), "label": "positive", "human_label": "negative", "changed": True},
    )  # fmt: skip
    assert told.tally() == ALL_DONE
    for grain in ("minute", "hour", "day"):
        assert row(told, grain).total().positive == 1
    assert classes(row(told, "hour")) == (2, 0, 1, 0)
    assert row(told, "hour").minutes[5] == (2, 2, 1)
    assert row(told, "hour").total().score < before
    assert {each.post: each.label for each in row(told, "minute").samples}[key(1)] == "negative"
    (event,) = told.events("PostRelabelled")
    assert (event["label"], event["human_label"], event["by"]) == ("positive", "negative", "someone")


def test_a_second_correction_takes_the_first_one_back(told: Suite) -> None:
    label(told, key(1), "negative")
    label(told, key(1), "neutral")
    told.tally()
    assert classes(row(told, "day")) == (1, 1, 1, 0)
    label(told, key(1), "positive")
    told.tally()
    assert classes(row(told, "day")) == (1, 0, 2, 0)


def test_corrections_reach_the_lake_as_training_reads_them(told: Suite) -> None:
    label(told, key(3, "mastodon"), "neutral", by="someone")
    told.tally()
    (line,) = told.lines("lake", "sentiment/labels/")
    assert {name: line[name] for name in ("post", "brand", "network", "human_label", "label", "by", "text")} == {
        "post": key(3, "mastodon"), "brand": "northwind", "network": "mastodon", "human_label": "neutral",
        "label": "negative", "by": "someone", "text": BAD,
    }  # fmt: skip
    assert line["dt"] == line["time"][:10]
    assert line["written"] == (NOON + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    told._delivered["posts"] = 0
    told.tally()
    assert len({(each["post"], each["time"]) for each in told.lines("lake", "sentiment/labels/")}) == 1


def test_words_move_with_their_post(told: Suite) -> None:
    told.tally()
    negative, _, positive = row(told, "day").words
    assert positive["northwind"] == positive["great"] == 2
    assert negative["broken"] == 1
    label(told, key(3, "mastodon"), "positive")
    told.tally()
    negative, _, positive = row(told, "day").words
    assert "broken" not in negative
    assert (positive["broken"], positive["coffee"]) == (1, 3)


def test_what_search_does_not_take_is_delivered_again(told: Suite, environment: pytest.MonkeyPatch) -> None:
    """What a domain that listens makes of it is for the tests of search."""
    environment.setenv("SEARCH_ENDPOINT", "https://search.example")
    settings.cache_clear()
    told.wire.down("PutObject")  # that is what a PUT looks like to the wire: the template
    with pytest.raises(Unavailable, match="search"):
        told.tally()
    assert len(told.events("PostClassified")) == 3
    environment.setenv("SEARCH_ENDPOINT", "")
    settings.cache_clear()
    assert told.tally() == ALL_DONE
    assert classes(row(told, "day")) == (1, 0, 2, 0)


def test_a_damaged_row_stops_nobody_else(told: Suite) -> None:
    dynamo().put_all("posts", [{"post": "northwind#web#x", "n": 1, "p": b"{", "d": b'{"kind":"classified"}'}])
    assert len(told.tally()["batchItemFailures"]) == 1
    assert classes(row(told, "day")) == (1, 0, 2, 0)


def test_a_damaged_aggregate_is_begun_anew(told: Suite) -> None:
    dynamo().put_all("aggregates", [{"bucket": bucket("northwind", "day", NOON), "n": 4, "p": b"\xff"}])
    assert told.tally() == ALL_DONE
    assert classes(row(told, "day")) == (1, 0, 2, 0)


def test_a_post_that_expires_tells_nothing(told: Suite) -> None:
    told.tally()
    dynamo().delete("posts", {"post": key(1)})
    assert told.tally() == ALL_DONE
    assert classes(row(told, "day")) == (1, 0, 2, 0)


def test_a_late_post_counts_where_it_belongs_as_far_as_that_is_kept(suite: Suite) -> None:
    time = datetime.now(UTC) - timedelta(days=10)
    suite.classify(post(1, GOOD, time=time.isoformat()))
    assert suite.tally() == ALL_DONE
    assert classes(row(suite, "hour", time)) == (0, 0, 1, 0)
    assert classes(row(suite, "day", time)) == (0, 0, 1, 0)
    assert bucket("northwind", "minute", time) not in suite.items("aggregates")
    assert suite.items("aggregates")[bucket("northwind", "day", time)]["x"] > time.timestamp() + 1825 * 86_400


def test_brands_are_counted_apart(suite: Suite) -> None:
    time = ago(7200)
    suite.classify(post(1, GOOD, time=time), post(1, GOOD, time=time, brand="southwind"))
    suite.tally()
    for brand in ("northwind", "southwind"):
        assert classes(row(suite, "day", datetime.fromisoformat(time), brand)) == (0, 0, 1, 0)
