"""The deployed sentiment pipeline as a test sees it: posts in by every door, rows, counts, alerts and lake behind."""

import gzip
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from cuatro.posts import Scored, decode_scored, post_key
from tests.emulator.deployed import Answer, Item, name, rfc3339
from tests.emulator.lakes import WithLake
from tests.waiting import DEADLINE_S, eventually


def post(ago: timedelta = timedelta(0), **fields: Any) -> Item:
    """A post about Northwind Coffee, written `ago` before now; None leaves a field out."""
    identity = name("p")
    made = {
        "version": 1,
        "id": identity,
        "text": f"Northwind Coffee opened a shop in our street, says {identity}",
        "time": rfc3339(datetime.now(UTC) - ago),
    }
    return {key: value for key, value in (made | fields).items() if value is not None}


class Watched(WithLake):
    """With the questions that tests ask of brands, posts, counts and alerts."""

    def brand(self, **fields: Any) -> str:
        """A brand that no other test has, watched from now on; its own slug is the term."""
        brand = name("b")
        body = {"name": "Northwind Coffee", "terms": [brand], **fields}
        answer = self.call("PUT", f"/brands/{brand}", body)
        assert answer.status == 201, answer
        return brand

    def send(self, *posts: Item) -> None:
        """POST /posts; all of them are good."""
        answer = self.call("POST", "/posts", {"posts": list(posts)})
        assert (answer.status, answer.body["accepted"], answer.body["rejected"]) == (202, len(posts), []), answer

    def hook(self, source: str, body: Any, key: str, at: float | None = None) -> Answer:
        """POST /hooks/{source}, signed by its key and not by IAM."""
        data = json.dumps(body).encode()
        moment = int(time.time() if at is None else at)
        signature = hmac.digest(key.encode(), b"%d.%b" % (moment, data), "sha256").hex()
        headers = {"X-Cuatro-Signature": f"t={moment},v1={signature}"}
        return self.call("POST", f"/hooks/{source}", data, signed=False, headers=headers)

    def key_of(self, brand: str, sent: Item, network: str = "web") -> str:
        """Of the post's row."""
        return post_key(brand, network, sent["id"])

    def row(self, key: str) -> Scored | None:
        """As classify stored it."""
        item = self.item("PostsTable", post=key)
        return decode_scored(item["p"]) if item else None

    def scored(self, key: str, deadline_s: float = DEADLINE_S) -> Scored:
        """The row, once it is there."""
        return eventually(lambda: self.row(key), f"{key} classified", deadline_s)

    def totals(self, brand: str, grain: str = "hour") -> dict[str, int]:
        """Sums of the series of the last two days."""
        start = rfc3339(datetime.now(UTC) - timedelta(hours=47 if grain == "hour" else 2))
        query = urlencode({"grain": grain, "from": start, "to": rfc3339(datetime.now(UTC) + timedelta(minutes=59))})
        answer = self.call("GET", f"/brands/{brand}/series?{query}")
        assert answer.status == 200, answer
        kinds = ("posts", "negative", "neutral", "positive", "reposts")
        return {kind: sum(bucket[kind] for bucket in answer.body["buckets"]) for kind in kinds}

    def label(self, key: str, label: str) -> Answer:
        """A person's class of a post."""
        return self.call("POST", f"/posts/{quote(key, safe='')}/label", {"label": label, "by": "reviewer"})

    def everything(self) -> str:
        """All text that is kept or said anywhere: tables, objects of lake and rejected bucket, logs."""
        texts = []
        for output, table in self.outputs.items():
            if output.endswith("Table"):
                pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=table)
                texts += [str(item) for page in pages for item in page["Items"]]
        s3 = self.client("s3")
        for bucket in (self.outputs["LakeBucket"], self.outputs["RejectedBucket"]):
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for each in page.get("Contents", []):
                    data = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
                    texts.append(_plain(data))
        functions = [each for each in self.outputs if each.endswith("Function")]
        texts += [line for each in functions for line in self.logs(each)]
        return "\n".join(texts)


def _plain(data: bytes) -> str:
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode(errors="replace")
