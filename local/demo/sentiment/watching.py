"""A brand on the suite's API and on networks of this machine -> posts go in; what the suite counts comes out."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from local.demo.sentiment.voices import Said
from local.feed.api import Api
from local.networks.feed import Written
from local.networks.server import Networks
from local.platform.client import Connection
from local.platform.errors import PlatformError

T = TypeVar("T")
POLLED = ("Mastodon", "Bluesky", "Reddit", "X", "Rss")
PLACE = "kitchens"
"""Subreddit and feed where people write."""
CHUNK, PATIENCE_S, PAGES = 200, 120, 20
ADVICE = "See `cuatro status` and `cuatro logs sentiment`."


@dataclass
class Watch:
    """One brand. truth: what each text really feels, by its first words, to compare with."""

    connection: Connection
    api: Api
    outputs: dict[str, str]
    brand: str
    name: str
    networks: Networks
    sent: int = 0
    truth: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        """The brand is watched."""
        self._put(enabled=True)

    def end(self) -> None:
        """No more is collected; what was stays to be looked at."""
        self._put(enabled=False)

    def post(self, said: Sequence[Said]) -> None:
        """By POST /posts, as a shop sends its reviews."""
        for start in range(0, len(said), CHUNK):
            posts = [each.incoming(self.brand) for each in said[start : start + CHUNK]]
            answer = self.api.post("/posts", {"posts": posts})
            if not answer.ok or answer.body["rejected"]:
                raise PlatformError(f"POST /posts: {answer.status} {answer.body}", ADVICE)
        self._sent(said)

    def publish(self, said: Sequence[Said]) -> None:
        """On the networks, where the pollers find them."""
        self.networks.feed.add(*(self._written(each) for each in said if not each.repost_of))
        self._sent([each for each in said if not each.repost_of])

    def poll(self) -> Counter[str]:
        """Run each network's poller until it has caught up. Posts by network."""
        found: Counter[str] = Counter()
        for name in POLLED:
            for _ in range(PAGES):
                told = self._invoked(self.outputs[f"Poll{name}Function"])
                if told["failed"]:
                    raise PlatformError(f"The poller of {name} failed: {told['failed']}", ADVICE)
                found[name] += told["posts"]
                if not told["waiting"] and not told["posts"]:
                    break
        return found

    def counted(self, tell: Callable[[int], None]) -> list[dict[str, Any]]:
        """The last two days by hour, once everything that was sent is in. Raises PlatformError."""

        def buckets() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = self.get("series", grain="hour", **self.since(timedelta(days=2)))["buckets"]
            posts = sum(each["posts"] for each in found)
            tell(posts)
            return found if posts >= self.sent else None

        return waited(buckets, f"the {self.sent} posts to be counted")

    def since(self, back: timedelta) -> dict[str, str]:
        """from= and to= of a request."""
        now = datetime.now(UTC)
        return {"from": _text(now - back), "to": _text(now + timedelta(minutes=1))}

    def posts(self, **query: Any) -> Iterator[dict[str, Any]]:
        """All of the brand, newest first."""
        page: dict[str, Any] = {"limit": 100, **query}
        while True:
            found = self.get("posts", **page)
            yield from found["posts"]
            if not found.get("next"):
                return
            page["next"] = found["next"]

    def get(self, what: str, **query: Any) -> Any:
        """GET /brands/{brand}/what. Raises PlatformError."""
        path = f"/brands/{self.brand}/{what}?{urlencode(query)}"
        answer = self.api.get(path)
        if not answer.ok:
            raise PlatformError(f"GET {path}: {answer.status} {answer.body}", ADVICE)
        return answer.body

    def felt(self, text: str) -> str | None:
        """What the one who wrote a text, as it is stored, really feels."""
        return self.truth.get(_first(text))

    def _put(self, *, enabled: bool) -> None:
        body = {
            "brand": self.brand, "name": self.name, "terms": [self.name], "enabled": enabled,
            "languages": ["en", "es", "pt", "fr", "it", "de"],
            "networks": {
                "mastodon": {"instances": [self.networks.url], "hashtags": [self.name.lower()]},
                "bluesky": {}, "reddit": {"subreddits": [PLACE]}, "x": {},
                "rss": {"feeds": [f"{self.networks.url}/feeds/{PLACE}.xml"]},
            },
        }  # fmt: skip
        answer = self.api.put(f"/brands/{self.brand}", body)
        if not answer.ok:
            raise PlatformError(f"PUT /brands/{self.brand}: {answer.status} {answer.body}", ADVICE)

    def _written(self, said: Said) -> Written:
        # Mastodon searches by hashtag.
        text = f"{said.text} #{self.name}" if said.network == "mastodon" else said.text
        return Written(
            said.network, text, said.time, author=f"person{len(self.truth)}", language=said.language, place=PLACE,
            comment=said.network == "reddit",
        )  # fmt: skip

    def _sent(self, said: Sequence[Said]) -> None:
        self.sent += len(said)
        self.truth |= {_first(each.text): each.truth for each in said}

    def _invoked(self, function: str) -> dict[str, Any]:
        answer = self.connection.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps({"brand": self.brand}).encode()
        )
        told = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise PlatformError(f"{function}: {told.get('errorMessage')}", ADVICE)
        return dict(told)


@contextmanager
def credentials(connection: Connection, outputs: dict[str, str], networks: Networks) -> Iterator[None]:
    """The pollers' secrets name the networks of this machine in the block; then they are as they were."""
    secrets = connection.client("secretsmanager")
    names = {name.lower(): outputs[f"{name}Secret"] for name in POLLED if f"{name}Secret" in outputs}
    before = {name: secrets.get_secret_value(SecretId=arn)["SecretString"] for name, arn in names.items()}
    try:
        for name, arn in names.items():
            secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(networks.secret(name)))
        yield
    finally:
        for name, arn in names.items():
            secrets.put_secret_value(SecretId=arn, SecretString=before[name])


def waited(check: Callable[[], T | None], what: str, patience_s: float = PATIENCE_S) -> T:
    """What `check` finds, asked for again and again. Raises PlatformError."""
    end = time.monotonic() + patience_s
    while True:
        found = check()
        if found is not None:
            return found
        if time.monotonic() > end:
            raise PlatformError(f"Waited {patience_s:.0f} s for {what}.", ADVICE)
        time.sleep(0.5)


def _first(text: str) -> str:
    """The words before anything that cleaning, redaction or a hashtag may change."""
    return text.partition("@")[0].partition("#")[0].strip()[:80]


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
