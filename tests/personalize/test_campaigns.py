"""Lists of a campaign: by the model that was really trained, from the events that were told until now."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.checked import unique
from tests.personalize.shop import LONG, NOW, Shop, rows_of
from tests.waiting import eventually


@pytest.fixture(scope="module")
def tracker(shop: Shop) -> Iterator[str]:
    """Tracking id of the shop's event tracker."""
    made = shop.personalize.create_event_tracker(name=unique("tracker"), datasetGroupArn=shop.group)
    yield made["trackingId"]
    shop.personalize.delete_event_tracker(eventTrackerArn=made["eventTrackerArn"])


def refusal(call: Any, **given: Any) -> str:
    """What a call is refused with, as `Code: message`."""
    with pytest.raises(ClientError) as failed:
        call(**given)
    error = failed.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_a_list_goes_on_where_the_user_is(shop: Shop, campaign: str, tracker: str) -> None:
    before = shop.list_of(campaign, userId="somebody new", numResults=5)
    shop.told(tracker, "somebody new", "s3-1", "s3-2", "s3-3")
    after = shop.list_of(campaign, userId="somebody new", numResults=5)
    assert len(before) == len(after) == 5
    assert after[0] == "s3-4"
    assert before != after
    shop.told(tracker, "somebody new", "s5-6")
    assert shop.list_of(campaign, userId="somebody new", numResults=5)[0] == "s5-7"


def test_the_imported_history_counts(shop: Shop, campaign: str) -> None:
    """Of users whose last item was held back from nobody: the next one on their shelf stands in their first five."""
    last = {row["USER_ID"]: row["ITEM_ID"] for row in rows_of()}
    hits = 0
    for user, item in list(last.items())[:40]:
        shelf, _, place = item.partition("-")
        hits += f"{shelf}-{(int(place) + 1) % LONG}" in shop.list_of(campaign, userId=user, numResults=5)
    assert hits >= 36


def test_unknown_users_get_what_is_popular(shop: Shop, campaign: str) -> None:
    answers = [shop.list_of(campaign, userId=user, numResults=10) for user in ("nobody", "🙂 né", "u" * 256)]
    assert answers[0] == answers[1] == answers[2]
    assert len(set(answers[0])) == 10


def test_scores_fall_and_lists_are_as_long_as_asked(shop: Shop, campaign: str) -> None:
    answer = shop.runtime.get_recommendations(campaignArn=campaign, userId="u3")
    scores = [each["score"] for each in answer["itemList"]]
    assert len(scores) == 25
    assert scores == sorted(scores, reverse=True)
    assert len(shop.list_of(campaign, userId="u3", numResults=500)) == 60
    assert "at most 500" in refusal(shop.runtime.get_recommendations, campaignArn=campaign, userId="u3", numResults=501)
    assert "userId is required" in refusal(shop.runtime.get_recommendations, campaignArn=campaign)


def test_filters_hold_for_every_list(shop: Shop, campaign: str, tracker: str) -> None:
    shop.told(tracker, "buyer", "s1-1", "s1-2", eventType="purchase")
    not_bought = shop.filter('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")')
    assert "s1-1" in shop.list_of(campaign, userId="buyer", numResults=60)
    assert {"s1-1", "s1-2"}.isdisjoint(shop.list_of(campaign, userId="buyer", numResults=60, filterArn=not_bought))
    of_shelf = shop.filter("INCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY)")
    values = {"CATEGORY": '"shelf 4","shelf 5"'}
    found = shop.list_of(campaign, userId="buyer", numResults=60, filterArn=of_shelf, filterValues=values)
    assert {item[:2] for item in found} == {"s4", "s5"}
    assert len(found) == 20
    member = shop.filter('INCLUDE ItemID WHERE Items.PRICE < 3 IF CurrentUser.MEMBER IN ("yes")')
    assert len(shop.list_of(campaign, userId="u1", numResults=60, filterArn=member)) == 18
    assert len(shop.list_of(campaign, userId="u2", numResults=60, filterArn=member)) == 60
    told = refusal(shop.runtime.get_recommendations, campaignArn=campaign, userId="u1", filterArn=of_shelf)
    assert told.startswith("InvalidInputException: filterValues must be given for ['CATEGORY']")


def test_filters_are_checked_when_they_are_made(shop: Shop) -> None:
    make = shop.personalize.create_filter
    given = {"name": unique("filter"), "datasetGroupArn": shop.group}
    assert "no Items.COLOUR" in refusal(make, filterExpression='INCLUDE ItemID WHERE Items.COLOUR IN ("a")', **given)
    assert "is expected" in refusal(make, filterExpression="INCLUDE ItemID WHEN", **given)


def test_new_items_and_metadata(shop: Shop, version: str, campaign: str, tracker: str) -> None:
    shop.events.put_items(datasetArn=shop.datasets["ITEMS"], items=[
        {"itemId": "s0-0", "properties": '{"category": "moved", "PRICE": 9.5}'}])  # fmt: skip
    moved = shop.filter('INCLUDE ItemID WHERE Items.CATEGORY IN ("moved")')
    assert shop.list_of(campaign, userId="u1", filterArn=moved) == ["s0-0"]
    telling = shop.campaign(version, enableMetadataWithRecommendations=True)
    columns = {"ITEMS": ["CATEGORY", "PRICE"]}
    answer = shop.runtime.get_recommendations(
        campaignArn=telling, userId="u1", filterArn=moved, metadataColumns=columns
    )
    assert answer["itemList"][0]["metadata"] == {"CATEGORY": "moved", "PRICE": "9.5"}
    assert "enableMetadata" in refusal(
        shop.runtime.get_recommendations, campaignArn=campaign, userId="u1", metadataColumns=columns
    )
    shop.personalize.delete_campaign(campaignArn=telling)


def test_promotions_get_their_share_of_a_list(shop: Shop, campaign: str) -> None:
    promoted = {"name": "clearance", "percentPromotedItems": 30,
                "filterArn": shop.filter('INCLUDE ItemID WHERE Items.CATEGORY IN ("shelf 2")')}  # fmt: skip
    answer = shop.runtime.get_recommendations(
        campaignArn=campaign, userId="nobody", numResults=10, promotions=[promoted]
    )
    marked = [each["itemId"] for each in answer["itemList"] if each.get("promotionName") == "clearance"]
    assert len(answer["itemList"]) == len({each["itemId"] for each in answer["itemList"]}) == 10
    assert len(marked) == 3
    assert all(item.startswith("s2-") for item in marked)


def test_events_that_break_the_schema_are_refused_whole(shop: Shop, campaign: str, tracker: str) -> None:
    good = {"eventType": "view", "itemId": "s2-1", "sentAt": NOW}
    put, session = shop.events.put_events, {"userId": "strict", "sessionId": "s"}
    before = shop.list_of(campaign, userId="strict")
    bad = {**good, "properties": '{"colour": "red"}'}
    told = refusal(put, trackingId=tracker, eventList=[good, bad], **session)
    assert told.startswith("InvalidInputException: properties has colour")
    assert "JSON object" in refusal(put, trackingId=tracker, eventList=[{**good, "properties": "[1]"}], **session)
    assert "tracking id" in refusal(put, trackingId="of nobody", eventList=[good], **session)
    assert shop.list_of(campaign, userId="strict") == before
    put(trackingId=tracker, sessionId="s", eventList=[good])  # of a visitor who has not logged in
    assert shop.list_of(campaign, userId="strict") == before


def test_related_items_and_rankings(shop: Shop) -> None:
    related = shop.campaign(shop.trained("aws-similar-items"))
    assert shop.list_of(related, itemId="s4-2", numResults=3)[0] == "s4-3"
    assert "s4-2" not in shop.list_of(related, itemId="s4-2", numResults=60)
    assert "itemId is required" in refusal(shop.runtime.get_recommendations, campaignArn=related, userId="u1")
    ranking = shop.campaign(shop.trained("aws-personalized-ranking-v2"))
    last = {row["USER_ID"]: row["ITEM_ID"] for row in rows_of()}
    shelf, _, place = last["u5"].partition("-")
    following = f"{shelf}-{(int(place) + 1) % 10}"
    far = [f"s{(int(shelf[1]) + 3) % 6}-{number}" for number in range(5)]
    answer = shop.runtime.get_personalized_ranking(
        campaignArn=ranking, userId="u5", inputList=["never seen", *far, following]
    )
    found = [each["itemId"] for each in answer["personalizedRanking"]]
    assert found[0] == following
    assert found[-1] == "never seen"
    assert sorted(found) == sorted(["never seen", *far, following])
    assert "GetPersonalizedRanking" in refusal(shop.runtime.get_recommendations, campaignArn=ranking, userId="u1")
    assert "GetRecommendations" in refusal(
        shop.runtime.get_personalized_ranking, campaignArn=related, userId="u5", inputList=["a"]
    )
    for made in (related, ranking):
        shop.personalize.delete_campaign(campaignArn=made)


def test_an_update_answers_with_the_new_version(shop: Shop, version: str, tracker: str) -> None:
    solution = version.rpartition("/")[0]
    made = shop.campaign(version)
    shop.told(tracker, "walker", *[f"s{shelf}-0" for shelf in range(6)])
    newer = shop.version(solution)["solutionVersionArn"]
    assert newer != version
    shop.personalize.update_campaign(campaignArn=made, solutionVersionArn=f"{solution}/$LATEST", minProvisionedTPS=2)

    def updated() -> bool:
        assert shop.list_of(made, userId="walker", numResults=3)  # never without an answer
        latest = shop.personalize.describe_campaign(campaignArn=made)["campaign"]["latestCampaignUpdate"]
        return bool(latest["status"] == "ACTIVE")

    eventually(updated, "the update")
    campaign = shop.personalize.describe_campaign(campaignArn=made)["campaign"]
    assert (campaign["solutionVersionArn"], campaign["minProvisionedTPS"]) == (newer, 2)
    assert "is in use" in refusal(shop.personalize.delete_solution, solutionArn=solution)
    shop.personalize.delete_campaign(campaignArn=made)
    assert "does not exist" in refusal(shop.runtime.get_recommendations, campaignArn=made, userId="u1")
