"""From click to better list, through the deployed stack: profile, shelves, bus, lists, feedback, lake."""

from datetime import timedelta
from typing import Any

import pytest

from tests.emulator.deployed import Queue, name
from tests.emulator.recommendations.shop import Shop, interaction, today
from tests.waiting import eventually


@pytest.fixture(scope="module")
def wanted(catalogue: list[dict[str, Any]]) -> list[str]:
    """Items of one category that the model knows: the tastes of a user."""
    return [item["item_id"] for item in catalogue if item["category"] == "camping"][:4]


def ids(body: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in body["items"]]


def test_each_interaction_makes_the_next_list_another_one(shop: Shop, wanted: list[str]) -> None:
    user = shop.somebody()
    cold = shop.shown(user, k=10)
    assert len(cold["items"]) == 10
    assert cold["degraded"] == []
    assert {item["source"] for item in cold["items"]} <= {"popular", "new", "similar"}, "nobody knows the user"

    clicked, bought = wanted[:2]
    answer = shop.call(
        "POST", "/interactions", {"interactions": [interaction(user_id=user, item_id=clicked, kind="click")]}
    )
    assert (answer.status, answer.body["accepted"]) == (202, 1)
    shop.knows(user, clicked)
    warm = shop.shown(user, k=10)
    assert ids(warm) != ids(cold)
    assert clicked not in ids(warm), "it was seen just now"
    reasons = {item["because"] for item in warm["items"] if item["source"] == "model"}
    assert reasons == {clicked}

    shop.put(interaction(user_id=user, item_id=bought, kind="purchase"))
    shop.knows(user, clicked, bought)
    warmer = shop.shown(user, k=10)
    assert ids(warmer) != ids(warm)
    assert not {clicked, bought} & set(ids(warmer))
    assert bought in {item["because"] for item in warmer["items"]}
    assert any("bought" in item["why"] for item in warmer["items"] if item["because"] == bought)


def test_an_interaction_counts_once_however_often_and_late_it_comes(shop: Shop, wanted: list[str]) -> None:
    user = name("u")
    newest = interaction(user_id=user, item_id=wanted[0])
    older = interaction(timedelta(hours=2), user_id=user, item_id=wanted[1], kind="purchase")
    shop.put(newest, newest, older)
    shop.knows(user, wanted[0], wanted[1])
    last = interaction(user_id=user, item_id=wanted[2])
    shop.put(older, newest, last)
    found = shop.knows(user, wanted[2])
    assert [entry.item for entry in found.entries] == [wanted[2], wanted[0], wanted[1]]
    assert found.counters == {"view": 2, "purchase": 1}


def test_what_was_recorded_is_told_once_and_becomes_popular(shop: Shop, told: Queue) -> None:
    item = name("i")
    sent = [
        interaction(item_id=item, kind="purchase", context={"country": "IT"}, correlation_id=name("corr"))
        for _ in range(3)
    ]
    shop.put(*sent, sent[0])
    event = told.first(lambda each: each["detail"]["event_id"] == sent[0]["event_id"], "the event on the bus")
    assert event["detail-type"] == "InteractionRecorded"
    assert event["detail"]["correlation_id"] == sent[0]["correlation_id"]
    assert event["detail"]["context"] == {"country": "IT"}
    for shelf in ("popular#all", "popular#country=IT"):
        eventually(lambda shelf=shelf: item in shop.popular(shelf), f"{item} on {shelf}")  # type: ignore[misc]
    told.first(lambda each: each["detail"]["event_id"] == sent[2]["event_id"], "the last event")
    ours = [each["detail"]["event_id"] for each in told.messages() if each["detail"]["item_id"] == item]
    assert sorted(ours) == sorted(each["event_id"] for each in sent)


def test_lists_and_feedback_lie_in_the_lake_once(shop: Shop, wanted: list[str]) -> None:
    user = shop.somebody()
    shop.put(interaction(user_id=user, item_id=wanted[0]))
    shop.knows(user, wanted[0])
    body = shop.shown(user, k=5, context="country:IT")
    seen = {
        "version": 1, "event_id": name("f"), "list_id": body["list_id"], "kind": "impression",
        "items": ids(body)[:3], "time": interaction()["time"],
    }  # fmt: skip
    for feedback in (seen, seen, {**seen, "event_id": name("f"), "kind": "click", "items": ids(body)[1:2]}):
        assert shop.call("POST", "/feedback", feedback).status == 202

    def of_this_list(kind: str) -> list[dict[str, Any]]:
        return [line for line in shop.lines(kind) if line["list_id"] == body["list_id"]]

    eventually(lambda: len(of_this_list("feedback")) == 2, "impressions and click in the lake")
    (line,) = eventually(lambda: of_this_list("lists"), "the list in the lake")
    assert [item["item"] for item in line["items"]][:5] == ids(body)
    assert (line["user_id"], line["arm"], line["context"]) == (user, body["arm"], {"country": "IT"})
    assert line["model_version"].startswith("recommendations-")
    impressions, click = sorted(of_this_list("feedback"), key=lambda each: -len(each["items"]))
    assert [each["place"] for each in impressions["items"]] == [1, 2, 3]
    assert [(each["item"], each["place"]) for each in click["items"]] == [(ids(body)[1], 2)]


def test_the_lake_answers_sql(shop: Shop, wanted: list[str]) -> None:
    """Interactions as Parquet straight from the stream; lists as lines: by the tables' own days and columns."""
    user = shop.somebody()
    sent = [
        interaction(user_id=user, item_id=wanted[0], kind="rating", value=4.5, context={"device": "phone"}),
        interaction(user_id=user, item_id=wanted[1]),
    ]
    shop.put(*sent)
    shop.knows(user, *wanted[:2])
    body = shop.shown(user, k=4)
    where = f"WHERE dt = '{today()}' AND user_id = '{user}'"
    eventually(
        lambda: shop.query(f"SELECT count(*) FROM interactions {where}") == [["2"]],  # noqa: S608 - this test's own
        "both interactions in the lake",
    )
    assert all(key.endswith(".parquet") for key in shop.lake("interactions"))
    rated = shop.query(f"SELECT item_id, value, context['device'] FROM interactions {where} AND kind = 'rating'")  # noqa: S608
    assert rated == [[wanted[0], "4.5", "phone"]]
    unnested = "FROM lists CROSS JOIN UNNEST(items) AS t (item, score, because, source, propensity, among)"
    eventually(
        lambda: shop.query(f"SELECT count(DISTINCT item) {unnested} {where}"),
        "the list in the lake",
    )
    shown = shop.query(f"SELECT item {unnested} {where}")
    assert set(ids(body)) <= {row[0] for row in shown}
