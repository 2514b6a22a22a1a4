"""The API as callers meet it: pages, tags, strangers in any script, refusals that say which field and why."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.emulator.deployed import name
from tests.emulator.recommendations.shop import Shop, interaction
from tests.waiting import eventually


def test_a_stranger_gets_a_good_list(shop: Shop) -> None:
    for stranger in (name("u"), "Ωμέγα 大阪 " + name("x"), "o'hara@example.com " + name("x")):
        body = shop.shown(stranger, k=7, context="device:phone")
        assert len(body["items"]) == 7
        assert body["user_id"] == stranger
        assert all(item["why"] and item["title"] for item in body["items"])


def test_pages_are_of_one_list(shop: Shop) -> None:
    user = name("u")
    first = shop.shown(user, k=4)
    second = shop.shown(user, page=first["next"])
    assert second["list_id"] == first["list_id"]
    both = [item["item_id"] for body in (first, second) for item in body["items"]]
    assert len(set(both)) == len(both) == 8
    other = shop.list_of(name("u"), page=first["next"])
    assert (other.status, other.body["error"]["field"]) == (404, "page"), "it is somebody else's"


def test_who_has_a_fresh_list_keeps_it_until_something_happens(shop: Shop, catalogue: list[dict[str, Any]]) -> None:
    user, item = shop.somebody(), catalogue[100]["item_id"]
    first = shop.list_of(user, k=5)
    assert "private" in first.headers["Cache-Control"]
    tag = {"If-None-Match": first.headers["ETag"]}
    assert shop.list_of(user, tag, k=5).status == 304
    shop.put(interaction(user_id=user, item_id=item))
    shop.knows(user, item)
    assert shop.list_of(user, tag, k=5).status == 200


def test_items_and_what_is_like_them_may_be_cached_by_anybody(shop: Shop, catalogue: list[dict[str, Any]]) -> None:
    item = catalogue[0]
    shown = shop.call("GET", f"/items/{item['item_id']}")
    assert (shown.status, shown.body["title"]) == (200, item["title"])
    similar = shop.call("GET", f"/items/{item['item_id']}/similar?k=5")
    assert similar.status == 200
    assert len(similar.body["items"]) == 5
    assert item["item_id"] not in {each["item_id"] for each in similar.body["items"]}
    for answer in (shown, similar):
        assert answer.headers["Cache-Control"].startswith("public, max-age=")


def test_what_is_sold_out_is_not_shown_and_what_is_new_may_be(shop: Shop, catalogue: list[dict[str, Any]]) -> None:
    user, taken = shop.somebody(), catalogue[200]
    shop.put(interaction(user_id=user, item_id=taken["item_id"]))
    shop.knows(user, taken["item_id"])
    best = shop.shown(user, k=10)["items"][0]["item_id"]
    shop.stock([{**next(item for item in catalogue if item["item_id"] == best), "available": False}])
    eventually(
        lambda: best not in {item["item_id"] for item in shop.shown(user, k=10)["items"]}, "a list without what is gone"
    )


def test_a_profile_can_be_seen_and_forgotten(shop: Shop, catalogue: list[dict[str, Any]]) -> None:
    user, item = name("Jérôme"), catalogue[300]["item_id"]
    shop.put(interaction(user_id=user, item_id=item, kind="cart"))
    shop.knows(user, item)
    path = f"/profiles/{quote(user)}"
    shown = shop.call("GET", path)
    assert [(each["item_id"], each["kind"]) for each in shown.body["items"]] == [(item, "cart")]
    assert shop.call("DELETE", path).status == 200
    assert shop.call("GET", path).status == 404
    assert shop.profile(user) is None


@pytest.mark.parametrize(
    ("call", "status", "field"),
    [
        (("GET", "/recommendations/u?k=0", None), 400, "k"),
        (("GET", "/recommendations/u?k=ten", None), 400, "k"),
        (("GET", "/recommendations/u?context=shoe-size:44", None), 400, "context"),
        (("GET", "/recommendations/u?page=nonsense", None), 400, "page"),
        (("GET", "/recommendations/" + "u" * 129, None), 400, "user_id"),
        (("GET", "/items/no-such-item", None), 404, "item_id"),
        (("GET", "/profiles/nobody-at-all", None), 404, "user_id"),
        (("POST", "/interactions", {"interactions": []}), 400, "interactions"),
        (("POST", "/interactions", b"not JSON"), 400, None),
        (("POST", "/feedback", {"version": 1}), 400, "event_id"),
    ],
)
def test_a_refusal_names_the_field(shop: Shop, call: tuple[str, str, Any], status: int, field: str | None) -> None:
    answer = shop.call(*call)
    assert (answer.status, answer.body["error"]["field"]) == (status, field), answer
    assert answer.body["error"]["message"]


def test_an_unsigned_call_is_refused(shop: Shop) -> None:
    assert shop.call("GET", "/recommendations/u", signed=False).status == 403


def test_good_and_bad_interactions_of_one_call_are_told_apart(shop: Shop, catalogue: list[dict[str, Any]]) -> None:
    user, item = name("u"), catalogue[400]["item_id"]
    mixed = [
        interaction(user_id=user, item_id=item),
        interaction(user_id=user, kind="stare"),
        interaction(user_id="a/b"),
        interaction(user_id=user, kind="rating", value=9),
    ]
    answer = shop.call("POST", "/interactions", {"interactions": mixed})
    assert answer.status == 202
    assert answer.body["accepted"] == 1
    assert [(each["index"], each["error"]["field"]) for each in answer.body["rejected"]] == [
        (1, "kind"), (2, "user_id"), (3, "value"),
    ]  # fmt: skip
    shop.knows(user, item)
