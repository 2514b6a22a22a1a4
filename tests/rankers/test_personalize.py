"""Lists by Amazon Personalize: before there is a campaign, with it, while it is away, after it went and came again.

One story, told in order: each test goes on where the one before it ended.
"""

from urllib.parse import quote

import pytest

from functions.recommendations.policy import MAX_LIST
from tests.emulator.conftest import Faults
from tests.emulator.deployed import Item
from tests.emulator.recommendations.shop import interaction
from tests.rankers.ranked import POPULAR, Past, RankedShop, items_of, shares
from tests.waiting import eventually

MEASURED = 40
BEGUN = 3
"""As many of a shelf's items does somebody take whose taste is to be told."""


@pytest.fixture(scope="module")
def shop(managed: RankedShop) -> RankedShop:
    return managed


def observed(shop: RankedShop, item: str) -> None:
    """What follows from an interaction has been done."""
    eventually(lambda: item in shop.popular(), f"{item} on the shelf")


def batches_failed(shop: RankedShop) -> list[str]:
    """Batches of `observe` of which something was to be done again."""
    return [line for line in shop.logs("ObserveFunction", '"message":"batch"') if '"failed":{}' not in line]


def test_without_a_campaign_lists_are_popular_and_nothing_fails(shop: RankedShop, past: Past) -> None:
    user, items = shop.somebody(), past.taken(past.world.crowd.ids[0])[:BEGUN]
    shop.takes(user, *items)
    observed(shop, items[0])
    body = shop.shown(shop.somebody(), k=BEGUN)
    assert (body["model_version"], {each["source"] for each in body["items"]}) == (POPULAR, {POPULAR})
    body = shop.shown(user, k=BEGUN)
    assert (body["model_version"], body["degraded"]) == (POPULAR, ["model"])
    assert batches_failed(shop) == [], "there is no tracker to tell, which is no failure"
    assert not shop.logs("ObserveFunction", "Traceback")
    assert shop.failures() == 0


def test_the_command_makes_a_campaign_of_the_past(shop: RankedShop, past: Past) -> None:
    told = shop.cuatro("backfill", str(past.interactions), "--pipeline", "recommendations")
    assert f"{past.table['user_id'].nunique():,} users are known" in told
    told = shop.cuatro("personalize", str(past.interactions), "--catalogue", str(past.catalogue))
    assert f"Imported {len(past.table):,} interactions" in told
    assert shop.outputs["PersonalizeCampaign"] in told


def test_lists_are_the_campaigns_and_people_find_in_them_what_they_want(shop: RankedShop, past: Past) -> None:
    users = shop.ranked(list(past.table["user_id"].unique()))[:MEASURED]
    bodies = [shop.shown(user, k=10) for user in users]
    serving = shop.client("personalize").describe_campaign(campaignArn=shop.outputs["PersonalizeCampaign"])["campaign"]
    version = "-".join(["personalize", *serving["solutionVersionArn"].split("/")[1:]])
    assert {body["model_version"] for body in bodies} == {version}
    assert all(body["degraded"] == [] for body in bodies)
    lists = [items_of(body) for body in bodies]
    assert all(len(items) == 10 for items in lists)
    asked = shop.client("personalize-runtime").get_recommendations(
        campaignArn=shop.outputs["PersonalizeCampaign"], userId=users[0], numResults=MAX_LIST
    )
    its = {each["itemId"] for each in asked["itemList"]}
    assert set(lists[0]) <= its
    popular = [each["itemId"] for each in asked_of_nobody(shop)]
    assert past.hits(users, lists) > 2 * past.hits(users, [popular[:10]] * len(users))
    assert len({item for items in lists for item in items}) > 10 * 10, "lists are personal"


def asked_of_nobody(shop: RankedShop) -> list[dict[str, str]]:
    """What the campaign gives somebody of whom it knows nothing: what is popular."""
    found: list[dict[str, str]] = shop.client("personalize-runtime").get_recommendations(
        campaignArn=shop.outputs["PersonalizeCampaign"], userId="nobody at all", numResults=10
    )["itemList"]
    return found


def test_a_new_interaction_reaches_the_tracker_and_counts(shop: RankedShop, past: Past) -> None:
    user, popular = shop.somebody(), [each["itemId"] for each in asked_of_nobody(shop)]
    tracked = past.taken(shop.ranked(past.world.crowd.ids)[1])[-BEGUN:]
    shop.takes(user, *tracked)
    first = shop.becomes(
        user,
        lambda body: shares(popular, items_of(body)) < 0.5 and not body["degraded"],
        "a list that follows what was taken",
    )
    names = items_of(first)
    assert all(each["source"] == "model" for each in first["items"])
    assert not set(names) & set(tracked)
    shop.clicks(first, names[0])
    again = shop.becomes(user, lambda body: items_of(body) != names, "another list after the click")
    assert names[0] not in items_of(again)


def test_similar_items_go_by_content(shop: RankedShop, past: Past) -> None:
    item, *_ = past.taken(past.world.crowd.ids[0])
    categories = {each["item_id"]: each["category"] for each in past.entries if each.get("available", True)}
    category = categories.pop(item)
    others = [each for each in categories if categories[each] == category][:BEGUN]
    shop.takes(shop.somebody(), *others)

    def similar() -> set[str]:
        found = shop.call("GET", f"/items/{quote(item)}/similar?k=50")
        assert (found.status, found.body["model_version"], found.body["degraded"]) == (200, POPULAR, [])
        assert {each["category"] for each in found.body["items"]} <= {category}
        return {each["item_id"] for each in found.body["items"]}

    eventually(lambda: similar() >= set(others), "what people take of the same category")


def test_while_it_is_away_lists_are_popular_and_events_wait(shop: RankedShop, past: Past, away: Faults) -> None:
    user, items = shop.somebody(), past.taken(shop.ranked(past.world.crowd.ids)[2])[-BEGUN:]
    away.inject("personalize", code="ServiceUnavailable", status=503)
    shop.put(*(interaction(user_id=user, item_id=item) for item in items))
    shop.knows(user, *items)
    body = shop.shown(user, k=BEGUN)
    assert (body["model_version"], body["degraded"]) == (POPULAR, ["model"])
    assert len(body["items"]) == BEGUN
    eventually(lambda: batches_failed(shop), "events that were not taken")
    away.end()
    shop.becomes(user, known, "a list that knows what happened meanwhile")
    assert shop.failures() == 0


def known(body: Item) -> bool:
    """Personalize knows the person: the scores of what is popular alone are next to nothing."""
    return not body["degraded"] and body["model_version"] != POPULAR and bool(body["items"][0]["score"] > 0.01)


def test_it_can_be_removed_and_made_again(shop: RankedShop, past: Past) -> None:
    shop.cuatro("personalize", "--remove")
    user, items = shop.somebody(), past.taken(shop.ranked(past.world.crowd.ids)[3])[-BEGUN:]
    before = len(batches_failed(shop))
    shop.takes(user, items[0])
    body = shop.shown(user, k=BEGUN)
    assert (body["model_version"], body["degraded"]) == (POPULAR, ["model"])
    observed(shop, items[0])
    shop.cuatro("personalize", str(past.interactions))
    shop.takes(user, *items[1:])
    shop.becomes(user, known, "a list by the new campaign")
    assert len(batches_failed(shop)) <= before + 1, "the old tracker is found out once"
    assert shop.failures() == 0
