"""The local networks answer as the documents of the real ones say: shapes, order, bounds, limits, refusals."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from cuatro.adapters.web import Answer, Web
from local.networks.feed import Feed, Written, read
from local.networks.server import Networks

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
AGENT = {"User-Agent": "tests of the suite"}


@pytest.fixture
def networks() -> Iterator[Networks]:
    feed = Feed()
    for number in range(130):
        text = f"northwind number {number} #northwind"
        time = NOON + timedelta(seconds=number)
        feed.add(*(Written(name, text, time, place="news", title=f"t{number}") for name in ("rss", "reddit")))
        feed.add(*(Written(name, text, time, language="en") for name in ("mastodon", "bluesky", "x")))
    with Networks(feed, {"a.bsky.example": "pass"}).serving() as found:
        yield found


def get(networks: Networks, path: str, token: str = "", **query: Any) -> tuple[Answer, Any]:
    headers = AGENT | ({"Authorization": f"Bearer {token}"} if token else {})
    answer = Web(private=True).get(f"{networks.url}{path}?{urlencode(query, doseq=True)}", headers=headers)
    return answer, json.loads(answer.body) if answer.body[:1] in b"[{" else answer.body


def test_mastodon_pages_upwards_from_min_id_and_shows_the_newest_first(networks: Networks) -> None:
    _, newest = get(networks, "/api/v1/timelines/tag/northwind")
    assert len(newest) == 20
    ids = [int(each["id"]) for each in newest]
    assert ids == sorted(ids, reverse=True)
    answer, lowest = get(networks, "/api/v1/timelines/tag/NorthWind", min_id=0, limit=99)
    assert len(lowest) == 40, "as many as there may be"
    assert "number 0 " in lowest[-1]["content"]
    assert 'rel="prev"' in answer.headers["link"]
    assert answer.headers["x-ratelimit-remaining"] == "298"
    _, above = get(networks, "/api/v1/timelines/tag/x", **{"any[]": ["northwind"], "min_id": lowest[0]["id"]})
    assert "number 40 " in above[-1]["content"]
    assert "<p>" in above[0]["content"]


def test_bluesky_refuses_cursors_of_strangers_and_searches_for_those_with_a_session(networks: Networks) -> None:
    path = "/xrpc/app.bsky.feed.searchPosts"
    _, first = get(networks, path, q="northwind", limit=100)
    assert len(first["posts"]) == 100
    assert first["cursor"]
    assert get(networks, path, q="northwind", cursor="100")[0].status == 403
    assert get(networks, path, q="northwind", limit=101)[1]["error"] == "InvalidRequest"
    oldest = first["posts"][-1]["indexedAt"]
    _, rest = get(networks, path, q="northwind", limit=100, until=oldest)
    assert len(rest["posts"]) == 30
    assert get(networks, path, token="wrong", q="northwind")[1]["error"] == "ExpiredToken"  # noqa: S106
    body = json.dumps({"identifier": "a.bsky.example", "password": "pass"}).encode()
    session = Web(private=True).post(f"{networks.url}/xrpc/com.atproto.server.createSession", body, AGENT)
    token = json.loads(session.body)["accessJwt"]
    assert get(networks, path, token=token, q="northwind", cursor="100")[0].status == 200


def test_x_wants_its_token_and_its_bounds(networks: Networks) -> None:
    path = "/2/tweets/search/recent"
    assert get(networks, path, query="northwind")[0].status == 401
    token = networks.x.token
    assert get(networks, path, token, query="northwind", max_results=5)[0].status == 400
    assert get(networks, path, token, query="x" * 513, max_results=10)[0].status == 400
    assert get(networks, path, token, query="northwind", since_id="1")[0].status == 400, "older than a week"
    _, page = get(networks, path, token, query='("northwind" OR "y") lang:en', max_results=100)
    assert (page["meta"]["result_count"], len(page["data"])) == (100, 100)
    _, rest = get(networks, path, token, query="northwind", max_results=100, next_token=page["meta"]["next_token"])
    assert len(rest["data"]) == 30
    oldest = page["data"][-1]["id"]
    _, older = get(networks, path, token, query="northwind", max_results=100, until_id=oldest)
    assert [each["id"] for each in older["data"]] == [each["id"] for each in rest["data"]]
    assert get(networks, path, token, query='northwind -"northwind"')[1] == {"meta": {"result_count": 0}}


def test_reddit_holds_off_who_does_not_say_who_asks(networks: Networks) -> None:
    agentless = Web(private=True).get(f"{networks.url}/search?q=northwind", headers={"User-Agent": "python-requests/2"})
    assert agentless.status == 429
    assert get(networks, "/search", q="northwind")[0].status == 401
    networks.reddit.tokens.add("good")
    answer, page = get(networks, "/r/news/search", "good", q='("northwind")', restrict_sr=1, limit=100)
    assert page["kind"] == "Listing"
    assert page["data"]["dist"] == 100
    assert answer.headers["x-ratelimit-reset"] in {"599", "600"}
    _, rest = get(networks, "/search", "good", q="northwind", limit=100, after=page["data"]["after"])
    assert len(rest["data"]["children"]) == 30
    assert rest["data"]["after"] is None


@pytest.mark.parametrize("kind", ["xml", "atom"])
def test_feeds_know_what_has_not_changed(networks: Networks, kind: str) -> None:
    url = f"{networks.url}/feeds/news.{kind}"
    answer = Web(private=True).get(url)
    assert answer.status == 200
    again = Web(private=True).get(url, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


def test_an_allowance_ends_and_begins_again(networks: Networks) -> None:
    networks.allow("x", 1)
    path, token = "/2/tweets/search/recent", networks.x.token
    assert get(networks, path, token, query="northwind")[0].headers["x-rate-limit-remaining"] == "0"
    assert get(networks, path, token, query="northwind")[0].status == 429
    networks.allow("x", 5)
    assert get(networks, path, token, query="northwind")[0].status == 200


def test_posts_of_a_file(tmp_path: Any) -> None:
    file = tmp_path / "posts.jsonl"
    file.write_text(
        '{"network": "x", "text": "a", "time": "2026-11-23T12:00:00Z"}\n\n{"network": "rss", "text": "b"}\n'
    )
    first, second = read(file)
    assert (first.text, first.time) == ("a", NOON)
    assert second.time.tzinfo is not None
