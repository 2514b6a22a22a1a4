"""A poll of each network: posts are found, cleaned, redacted and sent on once; the cursor follows what is safe."""

import json
from collections import Counter
from collections.abc import Callable

import pytest

from cuatro.errors import Unavailable
from tests.functional.sentiment.polls.polling import NETWORKS, Polling

PERSONAL = "northwind coffee is great, ask @barista or mail jo.smith@example.com or +1 212 555 0142"


def test_five_networks_are_read_and_every_post_comes_once(poller: Polling) -> None:
    poller.watch()
    poller.write("mastodon", "it's good #NorthwindCoffee today", author="alice", language="en", likes=3)
    poller.write("bluesky", "northwind coffee, please", author="bob", language="en")
    poller.write("reddit", "is northwind coffee closed?", author="carol", place="coffee")
    poller.write("x", "Northwind Coffee again", author="dan", language="en", replies=2)
    poller.write("rss", "Northwind Coffee opens a shop", title="News of the day", author="Erin", place="news")
    for network in NETWORKS:
        answer = poller.poll(network)
        assert (answer["posts"], answer["failed"]) == (1, {}), network
    for network in NETWORKS:
        assert poller.poll(network)["posts"] == 0, network
    posts = {post["network"]: post for post in poller.posts()}
    assert len(poller.posts()) == 5
    assert posts["mastodon"]["text"] == "it's good #NorthwindCoffee today"
    assert posts["mastodon"]["likes"] == 3
    assert posts["mastodon"]["source"] == poller.networks.url.removeprefix("http://")
    assert posts["reddit"]["source"] == "r/coffee"
    assert posts["x"]["replies"] == 2
    assert "Northwind Coffee opens a shop" in posts["rss"]["text"]
    assert {post["brand"] for post in poller.posts()} == {"northwind"}
    assert all(state["status"] == "ok" and state["posts"] in {0, 1} for n in NETWORKS for state in poller.states(n))


@pytest.mark.parametrize("network", NETWORKS)
def test_nothing_personal_leaves_the_poller(poller: Polling, network: str) -> None:
    poller.watch(terms=["northwind coffee", "coffee"])
    text = f"{PERSONAL} #northwindcoffee" if network == "mastodon" else PERSONAL
    poller.write(network, text, author="very_special_handle", place="news" if network == "rss" else "coffee")
    assert poller.poll(network)["posts"] >= 1
    kept = json.dumps([poller.posts(), list(poller.items("cursors").values()), poller.rejected()])
    for secret in ("jo.smith", "555 0142", "barista", "very_special_handle"):
        assert secret not in kept, f"{secret} in {kept}"
    post = poller.posts()[0]
    assert "[email]" in post["text"]
    assert "[phone]" in post["text"]


def test_the_same_author_has_the_same_pseudonym(poller: Polling) -> None:
    poller.watch()
    for number in range(3):
        poller.write("x", f"northwind coffee {number}", author="dan" if number else "erin", ago_s=60 + number)
    poller.poll("x")
    authors = Counter(post["author"] for post in poller.posts())
    assert sorted(authors.values()) == [1, 2]
    assert all(author.startswith("u_") or len(author) >= 16 for author in authors)


@pytest.mark.parametrize("network", ["mastodon", "bluesky", "reddit", "x"])
def test_a_backlog_is_read_page_by_page_over_several_polls_and_none_is_missed(
    poller: Polling, network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("functions.sentiment.poll.run.PAGES", 1)
    poller.watch(terms=["northwindcoffee"])
    count = 250 if network != "mastodon" else 100
    written = [
        poller.write(network, f"#northwindcoffee number {number}", ago_s=3_000 - 4 * number) for number in range(count)
    ]
    assert poller.poll(network)["pages"] == 1
    late = poller.write(network, "#northwindcoffee came meanwhile", ago_s=1)
    for _ in range(5):
        poller.poll(network)
    texts = [post["text"] for post in poller.posts()]
    assert set(texts) == {each.text for each in [*written, late]}
    assert len(texts) == count + 1, "none twice"
    poller.poll(network)
    assert len(poller.posts()) == len(texts), "nothing is new"


@pytest.mark.parametrize("network", ["mastodon", "bluesky", "reddit", "x", "rss"])
def test_the_first_poll_goes_back_an_hour(poller: Polling, network: str) -> None:
    poller.watch(terms=["northwindcoffee"])
    poller.write(network, "#northwindcoffee old", ago_s=3_800, place="news", title="old")
    poller.write(network, "#northwindcoffee new", ago_s=3_000, place="news", title="new")
    poller.poll(network)
    assert [post["text"].split()[-1] for post in poller.posts()] == ["new"]


def test_only_what_is_about_the_brand_counts(poller: Polling) -> None:
    poller.watch(exclude=["northwind coffee table"], languages=["en", "es"])
    feed = {"place": "news", "title": "t"}
    poller.write("rss", "northwind coffee tables are not coffee", **feed)
    poller.write("rss", "a northwind coffee table for sale", **feed)
    poller.write("rss", "northwinds coffeehouse", **feed)
    poller.poll("rss")
    assert [post["text"].split("\n")[-1] for post in poller.posts()] == ["northwind coffee tables are not coffee"]
    poller.write("bluesky", "northwind coffee auf Deutsch", language="de")
    poller.write("bluesky", "northwind coffee en español", language="es-MX")
    poller.poll("bluesky")
    assert [post["language"] for post in poller.posts() if post["network"] == "bluesky"] == ["es"]


def test_reddit_comments_of_its_subreddits_are_read_too(poller: Polling) -> None:
    poller.watch(networks={"reddit": {"subreddits": ["coffee"]}})
    poller.write("reddit", "northwind coffee burns my tongue", place="coffee", comment=True)
    poller.write("reddit", "elsewhere: northwind coffee", place="tea", comment=True)
    poller.write("reddit", "about something else", place="coffee", comment=True)
    assert poller.poll("reddit")["posts"] == 1
    assert poller.posts()[0]["text"] == "northwind coffee burns my tongue"


def test_one_brand_can_be_polled_alone_and_a_disabled_one_is_not(poller: Polling) -> None:
    poller.watch("northwind", networks={"bluesky": {}})
    poller.watch("southwind", name="Southwind", terms=["southwind"], networks={"bluesky": {}})
    poller.watch("eastwind", name="Eastwind", terms=["eastwind"], networks={"bluesky": {}}, enabled=False)
    for word in ("northwind coffee", "southwind", "eastwind"):
        poller.write("bluesky", word)
    assert poller.poll("bluesky", brand="southwind")["posts"] == 1
    assert poller.posts()[0]["brand"] == "southwind"
    poller.poll("bluesky")
    assert sorted(post["brand"] for post in poller.posts()) == ["northwind", "southwind"]


def test_firehose_takes_nothing_then_the_cursor_stays(poller: Polling, metrics: Callable[[], Counter[str]]) -> None:
    poller.watch(networks={"x": {}})
    poller.write("x")
    poller.wire.refuse("PutRecordBatch", "ServiceUnavailableException", status=503)
    with pytest.raises(Unavailable):
        poller.poll("x")
    assert poller.posts() == []
    assert [state["status"] for state in poller.states("x")] == ["new"], "it is not the network's failure"
    poller.wire.repair()
    assert poller.poll("x")["posts"] == 1
    assert metrics()["PostsCollected"] == 1


def test_a_cursor_that_cannot_be_written_means_the_page_again(poller: Polling) -> None:
    poller.watch(networks={"x": {}})
    poller.write("x")
    poller.wire.down("BatchExecuteStatement")
    assert poller.poll("x")["failed"]
    poller.wire.repair()
    poller.poll("x")
    assert len(poller.ids()) == 1
    assert len(poller.posts()) == 2, "sent twice, under the same id: it counts once"


def test_posts_for_two_brands_are_two_posts(poller: Polling) -> None:
    poller.watch("one", terms=["northwind"], networks={"bluesky": {}})
    poller.watch("two", terms=["coffee"], networks={"bluesky": {}})
    poller.write("bluesky", "northwind coffee")
    poller.poll("bluesky")
    assert sorted((post["brand"], post["id"]) for post in poller.posts()) == [
        ("one", poller.ids()[0]), ("two", poller.ids()[0]),
    ]  # fmt: skip


def test_a_closed_connection_is_told_in_the_state_of_its_place_alone(poller: Polling) -> None:
    poller.watch(networks={"rss": {"feeds": [f"{poller.networks.url}/feeds/news.xml", "http://127.0.0.1:1/feed"]}})
    poller.write("rss", place="news", title="t")
    answer = poller.poll("rss")
    assert answer["posts"] == 1
    assert list(answer["failed"]) == ["http://127.0.0.1:1/feed"]
    states = {state["name"]: state["status"] for state in poller.states("rss")}
    assert sorted(states.values()) == ["ok", "unavailable"]
