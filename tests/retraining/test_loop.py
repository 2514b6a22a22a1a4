"""Thieves change their ways: drift alarm, retraining, gate, shadow, weighted alias, a better model.

One story, told in order: each test goes on where the one before it ended (`Story` carries what was seen): a
retraining takes as long as it takes, and each part of the loop needs the real one before it.
"""

import json
from collections import Counter
from typing import Any

from local.demo.story import played
from local.lifecycle.versions import versions
from tests.retraining.story import ENDS, HELPING, ROLL_OUT_S, Story

ALARM_S, START_S = 60, 60


def test_the_model_of_the_deployment_decides_and_misses_the_new_pattern(story: Story) -> None:
    assert {each.model_version for each in story.before.values()} == {story.shipped}
    caught, all_of_them = story.recall(story.before, story.shipped)
    assert all_of_them > 100
    assert caught < all_of_them / 3


def test_every_decision_and_label_is_in_the_lake(story: Story) -> None:
    wanted = set(story.before)

    def ids(kind: str) -> set[str]:
        return {each["transaction_id"] for each in story.lake(kind)}

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
    ended = story.ended(story.arn)
    assert ended.status == "Succeeded", story.control.why(ended)
    steps = {each.name: each for each in story.control.steps(story.arn)}
    assert list(steps) == ["FindChampion", "BuildTrainingSet", "Train", "Evaluate", "Gate", "Register"]
    made = versions(story.control)[0]
    story.made = made.arn
    assert made.approval == "Approved"
    assert made.gain is not None
    assert made.gain > 0.05


def test_a_version_tells_where_it_comes_from(story: Story) -> None:
    package = story.control.sagemaker.describe_model_package(ModelPackageName=story.made)
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
    name = story.version(story.made).name

    def production() -> bool | None:
        stage = story.version(story.made).stage
        if stage not in story.stages:
            story.stages.append(stage)
        if stage in ENDS:
            return True
        story.after |= story.play([traffic.pop(0) for _ in range(min(HELPING, len(traffic)))])
        return None

    story.control.until(production, "the end of the roll-out", ROLL_OUT_S)
    assert story.version(story.made).stage == "Production", story.version(story.made).note
    assert "Shadow" in story.stages
    deciding = Counter(each.model_version for each in story.after.values())
    assert set(deciding) <= {story.shipped, name}
    last = story.play(story.fresh)
    assert {each.model_version for each in last.values()} == {name}
    story.after |= last


def test_the_shadow_phase_left_a_report(story: Story, clients: Any) -> None:
    key = f"fraud/reports/shadow/{story.version(story.made).name}.json"
    report = json.loads(clients("s3").get_object(Bucket=story.control.outputs["LakeBucket"], Key=key)["Body"].read())
    assert report["rows"] >= 50
    assert report["verdict"] == "good"


def test_the_new_model_finds_the_new_pattern(story: Story) -> None:
    before, of_before = story.recall(story.before, story.shipped)
    caught, of_these = story.recall(story.after, story.version(story.made).name)
    assert of_these
    assert caught / of_these > before / of_before + 0.2
