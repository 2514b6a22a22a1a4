"""A poller in one process: tables, secrets and Firehose in memory, the networks on a port of this machine."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from cuatro.adapters import secrets
from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from functions.sentiment.brands import checked, encode
from local.networks.feed import Written
from local.networks.server import Networks
from tests.functional.aws_in_memory import Wire, wired
from tests.functional.stage import CREDENTIALS, Context, Stage, client

ENVIRONMENT = {
    **CREDENTIALS,
    "BRANDS_TABLE": "brands", "CURSORS_TABLE": "cursors", "POSTS_DELIVERY": "posts", "REJECTED_BUCKET": "rejected",
    "POLICY": "{}", "ALLOW_PRIVATE_HOSTS": "1",
    "POWERTOOLS_SERVICE_NAME": "sentiment", "POWERTOOLS_METRICS_NAMESPACE": "Cuatro",
}  # fmt: skip
NETWORKS = ("mastodon", "bluesky", "reddit", "x", "rss")
SEARCHED = ("bluesky", "reddit", "x")


class PollContext(Context):
    """A minute to go, as the function is configured."""

    left_ms = 60_000

    def get_remaining_time_in_millis(self) -> int:
        """As Lambda tells."""
        return self.left_ms


class Polling(Stage):
    """The networks are `networks`; what they have, a test adds by `write`."""

    def __init__(self, wire: Wire, networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(wire, {"brands": "brand", "cursors": "source"}, "unused", {"posts": "posts/"})
        self.networks, self._environment = networks, monkeypatch
        self._arns = {name: self._secret(name, json.dumps(networks.secret(name))) for name in NETWORKS}
        self._key = self._secret("pseudonyms", "a-key-of-the-tests")
        wire.calls.clear()

    def _secret(self, name: str, text: str) -> str:
        return str(client("secretsmanager").create_secret(Name=name, SecretString=text)["ARN"])

    def rotate(self, network: str, document: dict[str, Any]) -> None:
        """Another secret, which the poller sees at once."""
        client("secretsmanager").put_secret_value(SecretId=self._arns[network], SecretString=json.dumps(document))
        secrets.forget()

    def secret_of(self, network: str) -> str:
        """The ARN of its secret."""
        return self._arns[network]

    def watch(self, brand: str = "northwind", **changes: Any) -> None:
        """A brand that is looked for on all networks, or as `changes` say."""
        body = {
            "name": "Northwind Coffee",
            "terms": ["northwind coffee", "northwindcoffee"],
            "networks": {
                "mastodon": {"instances": [self.networks.url]},
                "bluesky": {},
                "reddit": {},
                "x": {},
                "rss": {"feeds": [f"{self.networks.url}/feeds/news.xml"]},
            },
            **changes,
        }
        found = checked(json.dumps(body).encode(), brand)
        dynamo().put_all("brands", [{"brand": brand, "n": 1, "p": encode(found)}])

    def write(self, network: str, text: str = "northwind coffee", ago_s: float = 60, **fields: Any) -> Written:
        """A post of a network."""
        written = Written(network, text, datetime.fromtimestamp(time.time() - ago_s, UTC), **fields)
        self.networks.feed.add(written)
        return written

    def poll(self, network: str, left_ms: int = 60_000, **event: Any) -> dict[str, Any]:
        """One run of a network's poller, by its schedule unless `source` says otherwise."""
        from functions.sentiment.poll.handler import handler  # noqa: PLC0415 - reads the test's environment

        secret = "" if network == "rss" else self._arns[network]
        for name, value in {"NETWORK": network, "SECRET_ARN": secret, "PSEUDONYM_SECRET_ARN": self._key}.items():
            self._environment.setenv(name, value)
        settings.cache_clear()
        context = PollContext()
        context.left_ms = left_ms
        return handler({"source": "aws.events", **event}, context)

    def posts(self) -> list[dict[str, Any]]:
        """What Firehose has, in the order it came."""
        listing = self.s3.list_objects_v2(Bucket="lake", Prefix="posts/").get("Contents", [])
        listing.sort(key=lambda each: (each["LastModified"], each["Key"]))
        decoder, found = json.JSONDecoder(), []
        for each in listing:
            text = self.s3.get_object(Bucket="lake", Key=each["Key"])["Body"].read().decode()
            while text:
                post, end = decoder.raw_decode(text)
                found.append(post)
                text = text[end:]
        return found

    def ids(self) -> list[str]:
        """Of all posts that were sent on, each once."""
        return list(dict.fromkeys(post["id"] for post in self.posts()))

    def states(self, network: str) -> list[dict[str, Any]]:
        """A network's places as GET /sources tells them."""
        from functions.sentiment.api.brands import sources  # noqa: PLC0415

        return [each for each in sources(_Tables(), dynamo())["sources"] if each["network"] == network]

    def wait(self) -> None:
        """Time passes: no place has to wait any more."""
        for key, item in self.items("cursors").items():
            state = {**json.loads(item["p"]), "backoff_until": 0}
            dynamo().put_all("cursors", [{**item, "source": key, "p": json.dumps(state)}])


class _Tables:
    brands_table, cursors_table = "brands", "cursors"


@contextmanager
def polling(monkeypatch: pytest.MonkeyPatch) -> Iterator[Polling]:
    """For as long as the block runs; nothing of it is left in the process."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    secrets.forget()
    from functions.sentiment.poll import handler  # noqa: PLC0415

    handler._tokens.cache_clear()
    with Networks(accounts={"watcher.bsky.example": "app-pass"}).serving() as networks, wired() as wire:
        yield Polling(wire, networks, monkeypatch)
    settings.cache_clear()
    secrets.forget()


def fill(poller: Polling, network: str, count: int = 3) -> set[str]:
    """Texts of new posts."""
    return {
        poller.write(network, f"#northwindcoffee {number}", ago_s=90 + number, place="news", title=f"n{number}").text
        for number in range(count)
    }


def texts(poller: Polling) -> set[str]:
    """Of what was sent on, the last lines."""
    return {post["text"].split("\n")[-1] for post in poller.posts()}
