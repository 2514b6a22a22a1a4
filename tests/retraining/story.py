"""What happens to one deployment in this tier, in the order of its tests: who decides, what was seen, what comes next.

Traffic is purchases of the story's last days: no training or evaluation window uses those.
"""

import gzip
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.demo.decisions import Decision, Decisions
from local.demo.playback import Playback
from local.demo.retraining import World
from local.demo.story import played
from local.feed.api import Api
from local.feed.transactions import Feed
from local.lifecycle.control import Control, Execution
from local.lifecycle.versions import Version, versions
from local.platform.client import Connection

RETRAINING_S, ROLL_OUT_S = 300, 240
HELPING = 60
ENDS = {"Production", "RolledBack"}


@dataclass
class Story:
    """What happened so far."""

    connection: Connection
    control: Control
    world: World
    shipped: str
    before: dict[str, Decision] = field(default_factory=dict)
    after: dict[str, Decision] = field(default_factory=dict)
    arn: str = ""
    made: str = ""
    stages: list[str] = field(default_factory=list)
    fresh: list[Feed] = field(default_factory=list)
    _genuine: list[Feed] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def play(self, feeds: Sequence[Feed]) -> dict[str, Decision]:
        """Stream, post labels as they become known, await every decision."""
        outputs = self.control.outputs
        progress = Playback(
            kinesis=self.connection.client("kinesis"),
            stream=outputs["StreamName"],
            decisions=Decisions(self.connection.client("dynamodb"), outputs["DecisionsTable"]),
            api=Api(self.connection, outputs["ApiUrl"]),
            tell=lambda progress: None,
            patience_s=60,
        ).play(feeds, live=0, rate=1)
        assert not progress.undecided
        assert not progress.unlearned
        return progress.decisions

    def purchases(self, count: int) -> list[Feed]:
        """Genuine ones of the last days, once more; nobody tells the truth about them."""
        if not self._genuine:
            kept = self.world.kept
            self._genuine = played(kept[kept["TX_FRAUD"] == 0])
        return [
            self._genuine[number % len(self._genuine)].changed(transaction_id=f"extra-{number}")
            for number in itertools.islice(self._numbers, count)
        ]

    def deciders(self, count: int = 5) -> set[str]:
        """Versions of the models that decide purchases which come now."""
        return {each.model_version for each in self.play(self.purchases(count)).values()}

    def lake(self, kind: str) -> Iterator[dict[str, Any]]:
        """Every line of "decisions" or "labels"."""
        s3, bucket = self.connection.client("s3"), self.control.outputs["LakeBucket"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"fraud/{kind}/")
        for each in (each for page in pages for each in page.get("Contents", ())):
            body = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            lines = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
            yield from map(json.loads, lines.splitlines())

    def version(self, arn: str) -> Version:
        """As it stands in the registry now."""
        return next(each for each in versions(self.control) if each.arn == arn)

    def live(self) -> Version:
        """The one that the registry calls live, or the shipped one."""
        return next(each for each in versions(self.control) if each.live)

    def ended(self, arn: str) -> Execution:
        """An execution of the pipeline, once it has ended."""
        for _ in self.control.watch(arn, RETRAINING_S):
            pass
        return self.control.execution(arn)

    def retrain(self, reason: str, **parameters: str) -> Execution:
        """By hand, to its end."""
        return self.ended(self.begin(reason, **parameters))

    def begin(self, reason: str, **parameters: str) -> str:
        """By hand, after the one that an alarm may have started: the execution's ARN."""

        def started() -> str | None:
            answer = self.control.retrain(reason, parameters)
            return str(answer["execution_arn"]) if answer["started"] else None

        arn: str = self.control.until(started, "the end of the retraining before", RETRAINING_S)
        return arn

    def reach(self, arn: str, stages: set[str], *, traffic: int = HELPING) -> Version:
        """The version once a roll-out brought it to one of these stages, or to an end; purchases go on meanwhile."""

        def there() -> Version | None:
            found = self.version(arn)
            if found.stage in stages | ENDS:
                return found
            if traffic:
                self.play(self.purchases(traffic))
            return None

        found: Version = self.control.until(there, f"{arn}: one of {sorted(stages)}", ROLL_OUT_S)
        return found

    def recall(self, decisions: dict[str, Decision], model: str) -> tuple[int, int]:
        """Frauds of the new pattern that this model stopped, of those that it decided."""
        new = {
            each for table in (self.world.changed, self.world.kept) for each in table[table["NEW"]]["TRANSACTION_ID"]
        }
        theirs = [each for name, each in decisions.items() if name in new and each.model_version == model]
        return sum(each.alerted for each in theirs), len(theirs)
