"""Thieves change their ways: drift alarm, retraining, gate, shadow, weighted alias, a better model; and the way back.

One story, told in order: each test goes on where the one before it ended (`Story` carries what was seen): a
retraining takes as long as it takes, and each part of the loop needs the real one before it.
"""

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.demo.decisions import Decision, Decisions
from local.demo.playback import Playback
from local.demo.retraining import World
from local.demo.story import played
from local.feed.api import Api
from local.feed.transactions import Feed
from local.lifecycle.backfill import fill
from local.lifecycle.control import Control
from local.lifecycle.versions import Version, versions
from local.platform.client import Connection
from models.fraud.backfill import backfill

ALARM_S, START_S, RETRAINING_S, ROLL_OUT_S = 60, 60, 300, 240
HELPING = 60


@dataclass
class Story:
    """What happened so far."""

    connection: Connection
    control: Control
    world: World
    shipped: str = ""
    before: dict[str, Decision] = field(default_factory=dict)
    after: dict[str, Decision] = field(default_factory=dict)
    arn: str = ""
    stages: list[str] = field(default_factory=list)
    fresh: list[Feed] = field(default_factory=list)

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

    def version(self) -> Version:
        """The one that this story's retraining made."""
        return versions(self.control)[0]

    def recall(self, decisions: dict[str, Decision], model: str) -> tuple[int, int]:
        """Frauds of the new pattern that this model stopped, of those that it decided."""
        new = {
            each for table in (self.world.changed, self.world.kept) for each in table[table["NEW"]]["TRANSACTION_ID"]
        }
        theirs = [each for name, each in decisions.items() if name in new and each.model_version == model]
        return sum(each.alerted for each in theirs), len(theirs)


@pytest.fixture(scope="module")
def story(connection: Connection, control: Control, told: World) -> Story:
    """The history is in the lake, the cards have states, and the days after the change were streamed."""
    found = Story(connection, control, told)
    (only,) = versions(control)
    found.shipped = only.name
    fill(connection, backfill(told.history), "history", lambda doing, share: None)
    found.before = found.play(played(told.changed))
    return found


def test_the_model_of_the_deployment_decides_and_misses_the_new_pattern(story: Story) -> None:
    assert {each.model_version for each in story.before.values()} == {story.shipped}
    caught, all_of_them = story.recall(story.before, story.shipped)
    assert all_of_them > 100
    assert caught < all_of_them / 3


def test_every_decision_and_label_is_in_the_lake(story: Story, clients: Any) -> None:
    wanted = set(story.before)

    def ids(kind: str) -> set[str]:
        bucket, found = story.control.outputs["LakeBucket"], set[str]()
        pages = clients("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"fraud/{kind}/")
        for each in (each for page in pages for each in page.get("Contents", ())):
            body = clients("s3").get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            lines = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
            found |= {json.loads(line)["transaction_id"] for line in lines.splitlines()}
        return found

    story.control.until(lambda: wanted <= ids("decisions") or None, "decisions in the lake", ALARM_S)
    labelled = set(story.world.changed[story.world.changed["LABEL_TIME"].notna()]["TRANSACTION_ID"])
    assert len(labelled & ids("labels")) > 100


def test_drift_of_performance_sounds_an_alarm_that_starts_a_retraining(story: Story, clients: Any) -> None:
    assert story.control.executions() == []
    report = story.control.drift()
    assert report["frauds"] > 50
    assert report["performance_ratio"] < 0.6

    def sounding() -> list[str] | None:
        found = clients("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
        return [each["AlarmName"] for each in found if "PerformanceDrop" in each["AlarmName"]] or None

    story.control.until(sounding, "the alarm PerformanceDrop", ALARM_S)
    started = story.control.until(lambda: story.control.executions() or None, "a retraining", START_S)
    story.arn = started[-1].arn
    assert any(alarm in started[-1].parameters["Reason"] for alarm in ("PerformanceDrop", "InputDrift"))


def test_two_retrainings_at_once_are_one(story: Story) -> None:
    answer = story.control.retrain("impatience", {})
    assert answer["started"] is False
    assert answer["execution_arn"] == story.arn
    assert len(story.control.executions()) == 1


def test_the_gate_lets_the_better_challenger_pass(story: Story) -> None:
    for _ in story.control.watch(story.arn, RETRAINING_S):
        pass
    steps = {each.name: each for each in story.control.steps(story.arn)}
    assert story.control.execution(story.arn).status == "Succeeded", story.control.why(
        story.control.execution(story.arn)
    )
    assert list(steps) == ["FindChampion", "BuildTrainingSet", "Train", "Evaluate", "Gate", "Register"]
    made = story.version()
    assert made.approval == "Approved"
    assert made.gain is not None
    assert made.gain > 0.05


def test_a_version_tells_where_it_comes_from(story: Story) -> None:
    package = story.control.sagemaker.describe_model_package(ModelPackageName=story.version().arn)
    told = package["CustomerMetadataProperties"]
    assert told["champion_version"] == story.shipped
    assert len(told["data_hash"]) >= 8
    assert len(told["model_sha256"]) == 64
    assert told["code_version"]
    assert any(alarm in told["reason"] for alarm in ("PerformanceDrop", "InputDrift"))
    assert package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].endswith("evaluation.json")


def test_it_goes_live_by_shadow_and_weighted_alias(story: Story) -> None:
    feeds = played(story.world.kept)
    story.fresh = feeds[len(feeds) * 3 // 4 :]
    traffic = feeds[: len(feeds) * 3 // 4]
    name = story.version().name

    def production() -> bool | None:
        stage = story.version().stage
        if stage not in story.stages:
            story.stages.append(stage)
        if stage in {"Production", "RolledBack"}:
            return True
        story.after |= story.play([traffic.pop(0) for _ in range(min(HELPING, len(traffic)))])
        return None

    story.control.until(production, "the end of the roll-out", ROLL_OUT_S)
    assert story.version().stage == "Production", story.version().note
    assert "Shadow" in story.stages
    deciding = Counter(each.model_version for each in story.after.values())
    assert set(deciding) <= {story.shipped, name}
    last = story.play(story.fresh)
    assert {each.model_version for each in last.values()} == {name}
    story.after |= last


def test_the_shadow_phase_left_a_report(story: Story, clients: Any) -> None:
    key = f"fraud/reports/shadow/{story.version().name}.json"
    report = json.loads(clients("s3").get_object(Bucket=story.control.outputs["LakeBucket"], Key=key)["Body"].read())
    assert report["rows"] >= 50
    assert report["verdict"] == "good"


def test_the_new_model_finds_the_new_pattern(story: Story) -> None:
    before, of_before = story.recall(story.before, story.shipped)
    caught, of_these = story.recall(story.after, story.version().name)
    assert of_these
    assert caught / of_these > before / of_before + 0.2


def test_rolling_back_by_hand_is_one_call(story: Story) -> None:
    answer = story.control.roll_back("a test")
    assert story.shipped in answer["summary"]
    again = [each.changed(transaction_id=f"{each.transaction_id}-back") for each in story.fresh[:20]]
    assert {each.model_version for each in story.play(again).values()} == {story.shipped}
    assert story.version().stage == "RolledBack"
