"""A platform that ends and starts again: campaigns answer as before, what was in the making has failed and says so."""

from pathlib import Path

from local.platform.process import start, stop
from tests.checked import Aws
from tests.personalize.shop import INTERACTIONS, Shop, rows_of, to_csv


def test_campaigns_answer_after_a_restart(tmp_path: Path) -> None:
    try:
        shop = _shop(Aws(start(tmp_path, port=0).endpoint, set()))
        shop.dataset("INTERACTIONS", INTERACTIONS)
        shop.imported("INTERACTIONS", to_csv(rows_of()))
        solution = shop.solution("aws-user-personalization-v2")
        campaign = shop.campaign(shop.version(solution)["solutionVersionArn"])
        tracker = shop.personalize.create_event_tracker(name="t", datasetGroupArn=shop.group)["trackingId"]
        shop.told(tracker, "walker", "s1-3", "s1-4")
        before = shop.list_of(campaign, userId="walker")
        arn = shop.personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
        stop(tmp_path)

        again = Aws(start(tmp_path, port=0).endpoint, set())
        runtime, personalize = again.client("personalize-runtime"), again.client("personalize")
        answer = runtime.get_recommendations(campaignArn=campaign, userId="walker")
        assert [each["itemId"] for each in answer["itemList"]] == before
        version = personalize.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]
        assert version["status"] == "CREATE FAILED"
        assert "restarted" in version["failureReason"]
    finally:
        stop(tmp_path)


def _shop(aws: Aws) -> Shop:
    aws.client("s3").create_bucket(Bucket="rows")
    allowed = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
    return Shop(aws, "rows", aws.role(allowed, trusts="personalize.amazonaws.com"))
