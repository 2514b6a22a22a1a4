"""The deployed suite tells people of a crisis once, takes corrections, and lets nobody reach what is not theirs."""

from datetime import timedelta
from typing import Any

from tests.emulator.deployed import Queue
from tests.emulator.roles import denied, role_of
from tests.emulator.sentiment.test_path import LABELS
from tests.emulator.sentiment.watched import Watched, post
from tests.waiting import eventually


def test_a_crisis_is_told_once_with_examples(watched: Watched, told: Queue, rung: Queue) -> None:
    brand = watched.brand()
    quiet = [post(timedelta(minutes=minutes), brand=brand) for minutes in range(20, 260, 8)]
    watched.send(*quiet)
    eventually(lambda: watched.totals(brand)["posts"] == len(quiet), "the quiet hours counted")
    crisis = [post(timedelta(seconds=30 * number), brand=brand) for number in range(2, 12) for _ in range(8)]
    watched.send(*crisis)
    raised = told.first(
        lambda each: each["detail-type"] == "SentimentAlertRaised" and each["detail"]["brand"] == brand, "the alert"
    )["detail"]
    assert raised["kind"] == "spike"
    assert raised["value"] > raised["baseline"]
    assert 1 <= len(raised["posts"]) <= 5
    message = rung.first(lambda each: brand in str(each), "the message to people")
    assert message
    eventually(lambda: watched.totals(brand)["posts"] == len(quiet) + len(crisis), "the crisis counted")
    alerts = watched.call("GET", f"/brands/{brand}/alerts").body
    assert raised["alert_id"] in str(alerts)
    ours = [
        each["detail"]
        for each in told.messages()
        if each["detail-type"] == "SentimentAlertRaised" and each["detail"]["brand"] == brand
    ]
    assert len({each["alert_id"] for each in ours if each["kind"] == "spike"}) == 1, "no storm of alerts"


def test_a_correction_moves_the_counts_and_goes_to_the_lake(watched: Watched, told: Queue) -> None:
    brand = watched.brand()
    sent = post(brand=brand)
    watched.send(sent)
    key = watched.key_of(brand, sent)
    said = watched.scored(key).label
    other = next(label for label in LABELS if label != said)
    eventually(lambda: watched.totals(brand)[said] == 1, "the post counted")
    for _ in range(2):
        answer = watched.label(key, other)
        assert (answer.status, answer.body["human_label"]) == (200, other), answer
    eventually(lambda: watched.totals(brand)[other] == 1, "the count moved")
    assert watched.totals(brand)[said] == 0
    assert watched.totals(brand)["posts"] == 1
    event = told.first(
        lambda each: each["detail-type"] == "PostRelabelled" and each["detail"]["post"] == key, "the correction told"
    )
    assert event["detail"]["human_label"] == other
    lines = eventually(lambda: [each for each in watched.lines("labels") if each["post"] == key] or None, "the label")
    assert {(each["label"], each["human_label"]) for each in lines} == {(said, other)}


def test_a_poller_reaches_its_own_secret_and_nothing_of_the_posts(watched: Watched) -> None:
    out = watched.outputs
    with role_of(watched, "PollBlueskyFunction") as session:

        def client(service: str) -> Any:
            return session.client(service, endpoint_url=watched.platform.endpoint)

        secrets = client("secretsmanager")
        assert secrets.get_secret_value(SecretId=out["BlueskySecret"])["SecretString"] == "{}"
        for other in ("RedditSecret", "MastodonSecret", "XSecret", "HookSecret"):
            assert denied(secrets.get_secret_value, SecretId=out[other])
        key = {"post": {"S": "p"}}
        assert denied(client("dynamodb").get_item, TableName=out["PostsTable"], Key=key)
        assert denied(client("dynamodb").put_item, TableName=out["PostsTable"], Item=key)
        assert denied(client("firehose").put_record, DeliveryStreamName=out["RawDelivery"], Record={"Data": b"x"})
        assert denied(client("s3").list_objects_v2, Bucket=out["LakeBucket"])
        assert denied(client("sns").publish, TopicArn=out["AlertTopicArn"], Message="x")


def test_who_classifies_reads_no_secret_and_no_brand(watched: Watched) -> None:
    out = watched.outputs
    with role_of(watched, "ClassifyFunction") as session:

        def client(service: str) -> Any:
            return session.client(service, endpoint_url=watched.platform.endpoint)

        for secret in ("BlueskySecret", "HookSecret"):
            assert denied(client("secretsmanager").get_secret_value, SecretId=out[secret])
        assert denied(client("dynamodb").scan, TableName=out["BrandsTable"])
        assert denied(client("dynamodb").delete_item, TableName=out["PostsTable"], Key={"post": {"S": "p"}})
        assert denied(client("comprehend").detect_sentiment, Text="x", LanguageCode="en")
        assert denied(client("lambda").invoke, FunctionName=out["TallyFunction"])


def test_the_api_wants_a_signature_where_no_hook_has_one(watched: Watched) -> None:
    assert watched.call("GET", "/brands", signed=False).status == 403
    assert watched.call("POST", "/posts", {"posts": [post()]}, signed=False).status == 403
