"""A post's way through the deployed suite: API, hook or network -> class, lake, counts, event; once, and redacted."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from cdk.stacks.sentiment_lake import POSTS_SQL, daily_sql
from local.networks.feed import Written
from local.networks.server import Networks
from tests.emulator.deployed import Queue, name
from tests.emulator.sentiment.watched import Watched, post
from tests.waiting import eventually

MAIL, PHONE, CARD = "someone.private@example.com", "+44 20 7946 0958", "4111 1111 1111 1111"
LABELS = ("negative", "neutral", "positive")


def test_a_post_is_classified_kept_counted_and_told(watched: Watched, told: Queue) -> None:
    brand = watched.brand()
    sent = post(brand=brand, language="en")
    watched.send(sent)
    key = watched.key_of(brand, sent)
    scored = watched.scored(key)
    assert scored.label == LABELS[max(range(3), key=lambda at: scored.probabilities[at])]
    assert abs(sum(scored.probabilities) - 1) < 1e-3
    assert (scored.language, scored.backend, scored.repost) == ("en", "onnx", False)
    event = told.first(lambda each: each["detail"].get("post") == key, "the event")
    assert event["detail-type"] == "PostClassified"
    assert event["detail"]["label"] == scored.label
    eventually(lambda: watched.totals(brand) == {**NOTHING, "posts": 1, scored.label: 1}, "the post counted")
    assert watched.call("GET", f"/posts/{quote(key, safe='')}").body["label"] == scored.label

    def line(kind: str) -> list[dict[str, object]]:
        return [each for each in watched.lines(kind) if each["id"] == sent["id"]]

    (kept,) = eventually(lambda: line("scored") or None, "the scored line in the lake")
    (raw,) = eventually(lambda: line("raw") or None, "the raw line in the lake")
    assert (kept["label"], kept["model_version"]) == (scored.label, scored.model_version)
    assert "label" not in raw
    place = f"sentiment/scored/brand={brand}/dt={scored.dt}/"
    assert [each for each in watched.lake("scored") if each.startswith(place)]


NOTHING = dict.fromkeys(("posts", "negative", "neutral", "positive", "reposts"), 0)


def test_a_post_counts_once_however_often_and_by_whichever_door_it_comes(watched: Watched) -> None:
    brand = watched.brand()
    sent, copied = post(brand=brand), name("p")
    watched.send(sent, sent)
    watched.scored(watched.key_of(brand, sent))
    watched.send(sent, {**sent, "id": copied})
    watched.scored(watched.key_of(brand, {"id": copied}))
    eventually(lambda: watched.totals(brand)["posts"] == 2, "both counted")
    found = watched.totals(brand)
    assert (found["posts"], found["reposts"]) == (2, 1), "the same words again are a repost"
    assert sum(found[label] for label in LABELS) == 1


def test_the_lake_answers_sql_about_a_brand(watched: Watched) -> None:
    """With what the workgroup offers under a name, and what QuickSight asks."""
    brand = watched.brand()
    sent = [post(brand=brand), post(brand=brand)]
    watched.send(*sent)
    label = watched.scored(watched.key_of(brand, sent[0])).label
    database = watched.outputs["GlueDatabase"]
    days = daily_sql(f"'{brand}'", database)
    eventually(lambda: sum(int(row[4] or 0) for row in watched.query(days)) == 2 or None, "both posts in the lake")
    one = f"SELECT label FROM ({POSTS_SQL}) WHERE brand = '{brand}' AND id = '{sent[0]['id']}'"  # noqa: S608 - our own
    assert watched.query(one) == [[label]]
    athena = watched.client("athena")
    ids = athena.list_named_queries(WorkGroup=database)["NamedQueryIds"]
    names = {each["Name"] for each in athena.batch_get_named_query(NamedQueryIds=ids)["NamedQueries"]}
    assert names == {"posts", "sentiment_by_day", "corrected"}


def test_terms_say_whose_a_post_is(watched: Watched) -> None:
    one, other = watched.brand(), watched.brand()
    sent = post(text=f"I like {one} and {other} alike")
    answer = watched.call("POST", "/posts", {"posts": [sent, post(text="Nothing that anybody watches")]})
    assert (answer.status, answer.body["matched"]) == (202, 2), answer
    for brand in (one, other):
        assert watched.scored(watched.key_of(brand, sent)).text == sent["text"]


def test_nothing_keeps_or_says_personal_data(watched: Watched) -> None:
    brand = watched.brand()
    sent = post(brand=brand, author="a_private_handle", text=f"Call me at {PHONE} or {MAIL}, card {CARD}, {name('n')}")
    watched.send(sent)
    scored = watched.scored(watched.key_of(brand, sent))
    assert "[email]" in scored.text
    assert "[card]" in scored.text
    assert "[phone]" in scored.text
    for kind in ("scored", "raw"):
        eventually(lambda kind=kind: sent["id"] in str(watched.lines(kind)), f"its {kind} line")  # type: ignore[misc]
    everything = watched.everything()
    assert sent["id"] in everything, "it was looked for where posts are"
    for private in (MAIL, PHONE, CARD, CARD.replace(" ", ""), "a_private_handle"):
        assert private not in everything


def test_a_web_hook_is_taken_by_its_signature(watched: Watched) -> None:
    brand = watched.brand()
    client = watched.client("secretsmanager")
    key = json.loads(client.get_secret_value(SecretId=watched.outputs["HookSecret"])["SecretString"])["web"]
    sent = post(brand=brand)
    assert watched.hook("web", {"posts": [sent]}, "not-the-key-of-this-hook").status == 401
    assert watched.hook("web", {"posts": [sent]}, key, at=0).status == 401, "an old signature"
    assert watched.hook("web", {"posts": [sent]}, key).status == 202
    assert watched.scored(watched.key_of(brand, sent)).source == "web"


def test_what_is_no_post_is_told_to_its_sender(watched: Watched) -> None:
    brand = watched.brand()
    good = post(brand=brand)
    answer = watched.call("POST", "/posts", {"posts": [good, post(brand=brand, text=None), post(brand="No brand")]})
    assert (answer.status, answer.body["accepted"]) == (202, 1)
    assert [each["index"] for each in answer.body["rejected"]] == [1, 2]
    watched.scored(watched.key_of(brand, good))
    assert watched.call("POST", "/posts", b"{").status == 400


@pytest.fixture
def networks() -> Iterator[Networks]:
    with Networks().serving(port=0) as serving:
        yield serving


def test_a_network_is_polled_once_for_each_post(watched: Watched, networks: Networks) -> None:
    tag = name("northwind").replace("-", "")
    brand = watched.brand(networks={"mastodon": {"instances": [networks.url], "hashtags": [tag]}})
    now = datetime.now(UTC)
    for number in range(3):
        text = f"{brand} number {number} is on Mastodon #{tag}"
        networks.feed.add(Written("mastodon", text, now - timedelta(minutes=5 - number), author="a_mastodon_handle"))
    for _ in range(2):
        polled = watched.client("lambda").invoke(
            FunctionName=watched.outputs["PollMastodonFunction"], Payload=json.dumps({"brand": brand})
        )
        assert "FunctionError" not in polled, polled["Payload"].read()
    eventually(lambda: watched.totals(brand)["posts"] >= 3, "what was polled, counted")
    assert watched.totals(brand)["posts"] == 3
    sources = watched.call("GET", "/sources").body["sources"]
    assert [each for each in sources if brand in json.dumps(each)]
    assert "a_mastodon_handle" not in watched.everything()
