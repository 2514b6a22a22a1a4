"""Lists of a campaign: by the model that was really trained, from the events that were told until now."""

from tests.personalize.shop import Shop


def test_a_list_goes_on_where_the_user_is(shop: Shop, campaign: str) -> None:
    tracker = shop.personalize.create_event_tracker(name="t", datasetGroupArn=shop.group)["trackingId"]
    before = shop.list_of(campaign, userId="somebody new", numResults=5)
    shop.told(tracker, "somebody new", "s3-1", "s3-2", "s3-3")
    after = shop.list_of(campaign, userId="somebody new", numResults=5)
    assert len(before) == len(after) == 5
    assert after[0] == "s3-4"
    assert before != after
    shop.told(tracker, "somebody new", "s5-6")
    assert shop.list_of(campaign, userId="somebody new", numResults=5)[0] == "s5-7"
