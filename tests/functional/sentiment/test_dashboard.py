"""What is said of a brand over the API: series, words, posts; and what is asked for wrongly."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cuatro.adapters.dynamodb import dynamo
from functions.sentiment.aggregates import bucket
from tests.functional.sentiment.suite import Suite, post

NOON = datetime.now(UTC).replace(hour=12, minute=5, second=0, microsecond=0) - timedelta(days=1)
GOOD, BAD = "I love Northwind Coffee, great people", "Awful terrible broken coffee"


def at(**after: int) -> str:
    return (NOON + timedelta(**after)).isoformat()


@pytest.fixture(scope="module")
def bodies() -> list[dict[str, Any]]:
    return [
        post(1, GOOD, time=at(), language="en"),
        post(2, BAD, time=at(minutes=2), language="en"),
        post(3, "Terrible queue, awful", time=at(hours=1), network="mastodon", language="es"),
        post(4, GOOD, time=at(hours=2), repost_of="p-1", language="en"),
    ]


@pytest.fixture
def told(suite: Suite, bodies: list[dict[str, Any]]) -> Suite:
    suite.classify(*bodies)
    suite.tally()
    return suite


def ask(suite: Suite, what: str, **query: str) -> tuple[int, Any]:
    given = {name.rstrip("_"): [value] for name, value in query.items()}
    return suite.call("GET", f"/brands/{{brand}}/{what}", brand="northwind", query=given)


def test_a_series_has_every_bucket_of_its_time(told: Suite) -> None:
    status, answer = ask(told, "series", grain="hour", from_=at(hours=-1), to=at(hours=2, minutes=1))
    assert status == 200
    buckets = answer["buckets"]
    assert [each["posts"] for each in buckets] == [0, 2, 1, 1]
    assert buckets[0]["score"] is None
    noon = buckets[1]
    assert (noon["negative"], noon["positive"], noon["reposts"]) == (1, 1, 0)
    assert -0.3 < noon["score"] < 0.3
    assert buckets[2]["score"] < -0.5
    assert (buckets[3]["reposts"], buckets[3]["positive"]) == (1, 0)
    assert noon["start"] == NOON.replace(minute=0).isoformat().replace("+00:00", "Z")


def test_minutes_and_days_say_the_same(told: Suite) -> None:
    _, minutes = ask(told, "series", grain="minute", from_=at(), to=at(hours=3))
    _, days = ask(told, "series", grain="day", from_=at(), to=at(hours=3))
    assert len(minutes["buckets"]) == 180
    (day,) = days["buckets"]
    for name in ("posts", "negative", "neutral", "positive", "reposts", "unsure"):
        assert sum(each[name] for each in minutes["buckets"]) == day[name]
    assert day["posts"] == 4


def test_a_series_of_one_network_or_language(told: Suite) -> None:
    whole = {"grain": "day", "from_": at(), "to": at(hours=3)}
    for query, posts in (({"network": "mastodon"}, 1), ({"network": "web"}, 3), ({"network": "x"}, 0)):
        assert ask(told, "series", **whole, **query)[1]["buckets"][0]["posts"] == posts
    languages = {row.language for row in told.rows().values()}
    assert sum(ask(told, "series", **whole, language=each)[1]["buckets"][0]["posts"] for each in languages) == 4


def test_a_series_without_a_range_ends_now(told: Suite) -> None:
    for grain, number in (("minute", 61), ("hour", 25), ("day", 31)):
        buckets = ask(told, "series", grain=grain)[1]["buckets"]
        assert len(buckets) == number
        assert buckets[-1]["start"][:10] == datetime.now(UTC).date().isoformat()
    assert len(ask(told, "series")[1]["buckets"]) == 25


def test_words_by_class_without_those_of_reposts(told: Suite) -> None:
    status, answer = ask(told, "terms", from_=at(hours=-1), to=at(hours=3))
    assert status == 200
    counts = {label: {each["term"]: each["posts"] for each in some} for label, some in answer["terms"].items()}
    assert counts["negative"]["awful"] == counts["negative"]["terrible"] == 2
    assert counts["positive"]["northwind"] == 1
    assert answer["grain"] == "hour"
    _, of_days = ask(told, "terms", from_=at(days=-4), to=at(hours=3), label="negative")
    assert of_days["grain"] == "day"
    assert list(of_days["terms"]) == ["negative"]
    assert of_days["terms"]["negative"][0]["posts"] == 2


def test_posts_newest_first_page_by_page(told: Suite) -> None:
    ids = []
    token = ""
    for _ in range(5):
        status, answer = ask(told, "posts", limit="3", **({"next": token} if token else {}))
        assert status == 200
        ids += [each["id"] for each in answer["posts"]]
        token = answer["next"] or ""
        if not token:
            break
    assert ids == ["p-4", "p-3", "p-2", "p-1"]


def test_posts_of_a_class_a_network_a_language(told: Suite) -> None:
    assert [each["id"] for each in ask(told, "posts", label="negative")[1]["posts"]] == ["p-3", "p-2"]
    assert [each["id"] for each in ask(told, "posts", network="mastodon")[1]["posts"]] == ["p-3"]
    (first,) = ask(told, "posts", limit="1", label="positive", network="web", language="en")[1]["posts"]
    assert (first["label"], first["language"], first["network"]) == ("positive", "en", "web")
    assert first["post"] == "northwind#web#p-4"


def test_one_post_by_its_key(told: Suite) -> None:
    status, answer = told.call("GET", "/posts/{post}", post="northwind#web#p-2")
    assert status == 200
    assert (answer["text"], answer["label"], answer["human_label"]) == (BAD, "negative", None)
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-4)
    status, answer = told.call("GET", "/posts/{post}", post="northwind#web#none")
    assert (status, answer["error"]["code"]) == (404, "not_found")


def test_a_row_that_is_no_post_is_not_shown(told: Suite) -> None:
    dynamo().put_all("posts", [{"post": "text#northwind#abc", "o": "northwind#web#p-1"}])
    assert told.call("GET", "/posts/{post}", post="text#northwind#abc")[0] == 404


@pytest.mark.parametrize(
    ("what", "query", "field"),
    [
        ("series", {"grain": "week"}, "grain"),
        ("series", {"from_": "yesterday"}, "from"),
        ("series", {"from_": "2026-11-23T10:00:00"}, "from"),
        ("series", {"from_": at(hours=3), "to": at()}, "from"),
        ("series", {"grain": "minute", "from_": at(days=-3), "to": at()}, "from"),
        ("series", {"to": "9999-12-31T23:59:59-14:00"}, "to"),
        ("series", {"network": "fax"}, "network"),
        ("terms", {"label": "angry"}, "label"),
        ("posts", {"limit": "0"}, "limit"),
        ("posts", {"limit": "101"}, "limit"),
        ("posts", {"limit": "\u0663"}, "limit"),
        ("posts", {"next": "nonsense"}, "next"),
        ("posts", {"next": "eyJwb3N0IjoiYSIsImIiOiJvdGhlciIsInQiOjF9"}, "next"),
    ],
)
def test_what_is_asked_wrongly_says_where(suite: Suite, what: str, query: dict[str, str], field: str) -> None:
    status, answer = ask(suite, what, **query)
    assert status == 400
    assert answer["error"]["field"] == field
    assert answer["error"]["message"]


def test_a_brand_is_a_slug(suite: Suite) -> None:
    status, answer = suite.call("GET", "/brands/{brand}/series", brand="North/wind#")
    assert (status, answer["error"]["field"]) == (400, "brand")


def test_while_tables_cannot_be_read_the_answer_is_503(told: Suite) -> None:
    told.wire.down("BatchGetItem")
    told.wire.down("Query")
    for what in ("series", "terms", "posts", "alerts"):
        assert ask(told, what)[0] == 503
    assert told.call("GET", "/posts/{post}", post="northwind#web#p-2")[0] == 503


def test_a_correction_is_seen_in_the_posts_and_the_series(told: Suite) -> None:
    status, _ = told.call("POST", "/posts/{post}/label", {"label": "neutral"}, post="northwind#web#p-2")
    assert status == 200
    told.tally()
    assert [each["id"] for each in ask(told, "posts", label="neutral")[1]["posts"]] == ["p-2"]
    (day,) = ask(told, "series", grain="day", from_=at(), to=at(hours=3))[1]["buckets"]
    assert (day["negative"], day["neutral"], day["posts"]) == (1, 1, 4)
    assert bucket("northwind", "day", NOON) in told.items("aggregates")
