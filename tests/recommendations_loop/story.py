"""One deployment in this tier, in the order of its tests: who ranks, what was shown, what comes next."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pandas as pd

from local.feed.api import Api
from local.lifecycle.control import Control, Execution
from local.lifecycle.versions import Version, versions
from local.platform.client import Connection

RETRAINING_S, ROLL_OUT_S = 240, 180
HELPING = 20
ENDS = {"Production", "RolledBack"}
POPULAR = "popular"
"""Who ranks the lists of a hold-out."""


@dataclass
class Story:
    """What happened so far. past: interactions in the lake; known: users with a profile, those that had one before."""

    connection: Connection
    control: Control
    past: pd.DataFrame
    shipped: str
    known: tuple[int, int] = (0, 0)
    made: str = ""
    stages: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.api = Api(self.connection, self.control.outputs["ApiUrl"])
        self.s3 = self.connection.client("s3")
        self.bucket = self.control.outputs["LakeBucket"]
        self.people: list[str] = sorted(self.past["user_id"].unique())

    def shown(self, user: str) -> dict[str, Any]:
        """GET /recommendations of a user."""
        answer = self.api.get(f"/recommendations/{quote(user, safe='')}?k=10")
        assert answer.ok, answer.body
        body: dict[str, Any] = answer.body
        return body

    def traffic(self, count: int = HELPING) -> list[dict[str, Any]]:
        """Lists of the next people, one after the other."""
        turns = itertools.islice(self._numbers, count)
        return [self.shown(self.people[turn % len(self.people)]) for turn in turns]

    def rankers(self, count: int = HELPING) -> set[str]:
        """Versions of the models that rank lists which are asked for now."""
        return {each["model_version"] for each in self.traffic(count)} - {POPULAR}

    def version(self, arn: str) -> Version:
        """As it stands in the registry now."""
        return next(each for each in versions(self.control) if each.arn == arn)

    def live(self) -> Version:
        """The one that the registry calls live, or the shipped one."""
        return next(each for each in versions(self.control) if each.live)

    def retrain(self, reason: str, **parameters: str) -> Execution:
        """By hand, to its end."""
        answer = self.control.retrain(reason, parameters)
        assert answer["started"], answer
        for _ in self.control.watch(answer["execution_arn"], RETRAINING_S):
            pass
        return self.control.execution(answer["execution_arn"])

    def reach(self, arn: str) -> Version:
        """The version once its roll-out ended; people go on asking for lists meanwhile."""

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
        key = f"recommendations/reports/shadow/{name}.json"
        told: dict[str, Any] = json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        return told
