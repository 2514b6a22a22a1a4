"""One deployment in this tier, in the order of its tests: what is written, who classifies it, what comes next."""

import itertools
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from local.feed.api import Api
from local.feed.posts import path_of
from local.lifecycle.backfill import put_files
from local.lifecycle.control import Control, Execution
from local.lifecycle.versions import Version, versions
from local.platform.client import Connection
from tests.sentiment_loop.writing import BRAND, LABELS, PLAIN, Said, said

RETRAINING_S, ROLL_OUT_S, SEEN_S = 600, 600, 120
HELPING = 20
ENDS = {"Production", "RolledBack"}


@dataclass
class Story:
    """What happened so far. stages: those that the roll-out was seen in."""

    connection: Connection
    control: Control
    shipped: str
    made: str = ""
    stages: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.api = Api(self.connection, self.control.outputs["ApiUrl"])
        self.s3 = self.connection.client("s3")
        self.bucket = self.control.outputs["LakeBucket"]
        self.rng = np.random.default_rng(23)
        answer = self.api.put(f"/brands/{BRAND}", {"name": "Northwind Coffee", "terms": ["northwind"]})
        assert answer.ok, answer.body

    def fill(self, lines: Iterable[tuple[str, dict[str, Any]]], name: str) -> None:
        """Into the lake, as deliveries would have."""
        folders: dict[str, list[str]] = {}
        for folder, line in lines:
            folders.setdefault(folder, []).append(json.dumps(line))
        files = ((f"{folder}/part", "\n".join(each).encode()) for folder, each in folders.items())
        put_files(self.connection, "sentiment", files, name)

    def write(self, posts: list[Said]) -> list[str]:
        """Over the API; the keys of their rows."""
        numbers = [next(self._numbers) for _ in posts]
        body = [
            {"version": 1, "id": f"p-{number}", "brand": BRAND, "text": f"{post.text} {number}", "language": "en"}
            for number, post in zip(numbers, posts, strict=True)
        ]
        answer = self.api.post("/posts", {"posts": body})
        assert (answer.status, answer.body["matched"]) == (202, len(posts)), answer.body
        return [f"{BRAND}#web#p-{number}" for number in numbers]

    def traffic(self, count: int = HELPING) -> list[str]:
        """What people write every day; no two posts are a copy."""
        return self.write(said(self.rng, PLAIN, count))

    def classified(self, keys: list[str]) -> list[dict[str, Any]]:
        """What became of posts, once it is there."""
        found = []
        for key in keys:
            deadline = time.monotonic() + SEEN_S
            while not (answer := self.api.get(path_of(key))).ok:
                assert time.monotonic() < deadline, (key, answer.body)
                time.sleep(0.3)
            found.append(answer.body)
        return found

    def classifiers(self) -> set[str]:
        """Versions of the model that classify what is written now."""
        return {each["model_version"] for each in self.classified(self.traffic(12))}

    def right(self, posts: list[Said]) -> float:
        """The share of posts whose class is what people mean."""
        found = self.classified(self.write(posts))
        return float(np.mean([each["label"] == LABELS[post.label] for each, post in zip(found, posts, strict=True)]))

    def version(self, arn: str) -> Version:
        """As it stands in the registry now."""
        return next(each for each in versions(self.control) if each.arn == arn)

    def live(self) -> Version:
        """The one that the registry calls live, or the shipped one."""
        return next(each for each in versions(self.control) if each.live)

    def retrain(self, reason: str) -> Execution:
        """By hand, to its end."""
        # Words without a meaning anywhere else, in most labels, are more than people come up with in weeks.
        answer = self.control.retrain(reason, {"MaxGuardLoss": "0.05"})
        assert answer["started"], answer
        for _ in self.control.watch(answer["execution_arn"], RETRAINING_S):
            pass
        return self.control.execution(answer["execution_arn"])

    def reach(self, arn: str) -> Version:
        """The version once its roll-out ended; people go on writing meanwhile."""

        def there() -> Version | None:
            found = self.version(arn)
            if found.stage not in self.stages:
                self.stages.append(found.stage)
            if found.stage in ENDS:
                return found
            self.traffic()
            return None

        found: Version = self.control.until(there, f"the end of the roll-out of {arn}", ROLL_OUT_S)
        return found

    def report(self, name: str) -> dict[str, Any]:
        """Of the shadow phase of a version."""
        key = f"sentiment/reports/shadow/{name}.json"
        told: dict[str, Any] = json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        return told
