"""The sentiment pipeline in one process: posts and requests go in, tests look at what is left behind."""

import base64
import hmac
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from cuatro.adapters.dynamodb import dynamo
from cuatro.posts import Post, Scored, decode_post, decode_scored
from functions.sentiment import brands
from tests.functional.aws_in_memory import Wire
from tests.functional.stage import CREDENTIALS, REGION, Context, Stage, client

ENVIRONMENT = {
    **CREDENTIALS,
    "POSTS_TABLE": "posts", "BRANDS_TABLE": "brands", "CURSORS_TABLE": "cursors", "BUDGET_TABLE": "cursors",
    "AGGREGATES_TABLE": "aggregates", "ALERTS_TABLE": "alerts", "REJECTED_BUCKET": "rejected", "BUS_NAME": "suite",
    "POSTS_DELIVERY": "posts", "RAW_DELIVERY": "raw", "LABELS_DELIVERY": "labels", "SHADOW_MODEL_URI": "",
    "HOOK_SECRET_ARN": "hooks", "PSEUDONYM_SECRET_ARN": "pseudonyms", "POLICY": "{}", "SEARCH_ENDPOINT": "",
    "ALERT_TOPIC_ARN": f"arn:aws:sns:{REGION}:123456789012:alerts",
    "POWERTOOLS_SERVICE_NAME": "sentiment", "POWERTOOLS_METRICS_NAMESPACE": "Cuatro",
}  # fmt: skip
TABLES = {"posts": "post", "brands": "brand", "cursors": "source", "aggregates": "bucket", "alerts": "brand"}
DELIVERIES = {"posts": "collected/", "raw": "sentiment/raw/", "labels": "sentiment/labels/"}
HOOK_KEY = "a-key-of-the-reviews-hook"
SHORT_KEY = "too-short"
PSEUDONYM_KEY = "the-key-of-the-pseudonyms"
Answer = tuple[int, Any]


def ago(seconds: float) -> str:
    """A time, RFC 3339 in UTC."""
    return datetime.fromtimestamp(time.time() - seconds, UTC).isoformat(timespec="milliseconds")


def incoming(number: int, text: str = "I love Northwind Coffee, great people", **changes: Any) -> dict[str, Any]:
    """A good post as somebody hands it in; number makes its id."""
    return {"version": 1, "id": f"p-{number}", "text": text, "time": ago(60), **changes}


def post(number: int, text: str = "I love Northwind Coffee, great people", **changes: Any) -> dict[str, Any]:
    """A good post as a collector sends it."""
    times = {"time": ago(60), "collected_at": ago(1)}
    return {"version": 1, "network": "web", "id": f"p-{number}", "brand": "northwind", "text": text, **times, **changes}


class Suite(Stage):
    """Tables, bus, deliveries and buckets in memory, and the functions."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire, TABLES, "unused", DELIVERIES)
        client("dynamodb").update_table(
            TableName="posts",
            AttributeDefinitions=[
                {"AttributeName": "b", "AttributeType": "S"}, {"AttributeName": "t", "AttributeType": "N"},
            ],
            GlobalSecondaryIndexUpdates=[
                {
                    "Create": {
                        "IndexName": "by_brand",
                        "KeySchema": [
                            {"AttributeName": "b", "KeyType": "HASH"}, {"AttributeName": "t", "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                }
            ],
        )  # fmt: skip
        client("sns").create_topic(Name="alerts")
        hooks = {"reviews": HOOK_KEY, "short": SHORT_KEY, "rotating": ["the-old-key-of-it", HOOK_KEY]}
        client("secretsmanager").create_secret(Name="hooks", SecretString=json.dumps(hooks))
        client("secretsmanager").create_secret(Name="pseudonyms", SecretString=PSEUDONYM_KEY)
        self._record = 0
        wire.calls.clear()

    # What comes in

    def watch_brand(self, brand: str = "northwind", **fields: Any) -> None:
        """A brand in the table; terms: "Northwind Coffee"."""
        body = {"brand": brand, "name": brand.title(), "terms": ["Northwind Coffee"], **fields}
        row = {"brand": brand, "n": 1, "p": brands.encode(brands.checked(json.dumps(body).encode()))}
        dynamo().put_all("brands", [row])

    def call(self, method: str, resource: str, body: Any = None, **given: Any) -> Answer:
        """One request; keyword arguments fill the resource's {names}, `query` and `headers` are what they say."""
        from functions.sentiment.api.handler import handler  # noqa: PLC0415 - reads the test's environment

        query, headers = given.pop("query", None), given.pop("headers", None)
        path = {name: quote(value, safe="") for name, value in given.items()}
        return self.request(handler, (method, resource), body, headers=headers, path=path, query=query)

    def post(self, *posts: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """POST /posts."""
        return self.call("POST", "/posts", {"posts": list(posts)}, headers=headers)

    def hook(self, body: Any, source: str = "reviews", key: str = HOOK_KEY, at: float | None = None) -> Answer:
        """POST /hooks/{source}, signed."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        moment = int(time.time() if at is None else at)
        signature = hmac.digest(key.encode(), b"%d.%b" % (moment, data), "sha256").hex()
        headers = {"X-Cuatro-Signature": f"t={moment},v1={signature}"}
        return self.call("POST", "/hooks/{source}", data, source=source, headers=headers)

    def records_of(self, *bodies: dict[str, Any] | bytes) -> list[dict[str, Any]]:
        """Firehose's records as the transform gets them."""
        records = []
        for body in bodies:
            self._record += 1
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            records.append(
                {
                    "recordId": f"record-{self._record}",
                    "approximateArrivalTimestamp": int(time.time() * 1000),
                    "data": base64.b64encode(data).decode(),
                }
            )
        return records

    @staticmethod
    def transform(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """One call of `classify` with these records, as Firehose makes it; its answer's records."""
        from functions.sentiment.classify.handler import handler  # noqa: PLC0415

        event = {
            "invocationId": "invocation-1",
            "deliveryStreamArn": f"arn:aws:firehose:{REGION}:123456789012:deliverystream/posts",
            "region": REGION,
            "records": [dict(each) for each in records],
        }
        answer: list[dict[str, Any]] = handler(event, Context())["records"]
        return answer

    def classify(self, *bodies: dict[str, Any] | bytes) -> list[dict[str, Any]]:
        """Records of these posts, transformed."""
        return self.transform(self.records_of(*bodies))

    def flow(self) -> list[dict[str, Any]]:
        """All that the collectors have sent so far, transformed once more; lines that Firehose would deliver."""
        return scored_of(self.classify(*self.sent()))

    def tally(self) -> dict[str, Any]:
        """One delivery of what the posts' stream holds since the last one that succeeded."""
        from functions.sentiment.tally.handler import handler  # noqa: PLC0415

        return self.consume("posts", "d", handler)

    # What is left behind

    def sent(self) -> list[dict[str, Any]]:
        """Posts that the collectors gave to the delivery."""
        return list(self.documents("collected/"))

    def raw(self) -> list[dict[str, Any]]:
        """Lines of the raw lake."""
        return list(self.documents("sentiment/raw/"))

    def documents(self, prefix: str) -> Iterator[dict[str, Any]]:
        """JSON that follows JSON: the delivery here puts nothing between records."""
        listing = self.s3.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])
        for each in sorted(listing, key=lambda found: found["LastModified"]):
            text = self.s3.get_object(Bucket="lake", Key=each["Key"])["Body"].read().decode()
            at = 0
            while at < len(text):
                document, at = json.JSONDecoder().raw_decode(text, at)
                yield document
                at += len(text[at:]) - len(text[at:].lstrip())

    def rows(self) -> dict[str, Scored]:
        """Posts by their key."""
        return {key: decode_scored(item["p"]) for key, item in self.items("posts").items() if "p" in item}


def scored_of(answer: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines in an answer of the transform."""
    return [json.loads(base64.b64decode(each["data"])) for each in answer if each["result"] == "Ok"]


def results(answer: Sequence[dict[str, Any]]) -> list[str]:
    """Ok or Dropped, in order."""
    return [each["result"] for each in answer]


def as_post(body: dict[str, Any]) -> Post:
    """What `post` gives, decoded."""
    return decode_post(json.dumps(body).encode())
