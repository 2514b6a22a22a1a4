"""The shadow phase's verdict, from decisions in the lake."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.functional.lifecycle.deployment import Deployment


@pytest.fixture
def shadowed(deployment: Deployment) -> Deployment:
    deployment.shadowed()
    return deployment


def report(deployment: Deployment) -> dict[str, Any]:
    body = deployment.s3.get_object(Bucket="lake", Key="fraud/reports/shadow/v-1.json")["Body"].read()
    told: dict[str, Any] = json.loads(body)
    return told


def test_figures_are_those_of_the_decisions(shadowed: Deployment) -> None:
    pairs = [(0.1, 0.2)] * 60 + [(0.1, 0.6)] * 5 + [(0.7, 0.8)] * 30 + [(0.9, 0.1)] * 5
    lines = [shadowed.decided(number, *pair) for number, pair in enumerate(pairs)]
    shadowed.deliver([*lines, *lines])
    answer = shadowed.act("compare")
    assert (answer["verdict"], answer["report"]) == ("good", "s3://lake/fraud/reports/shadow/v-1.json")
    told = report(shadowed)
    assert (told["rows"], told["missing"], told["bad_lines"]) == (100, 0, 0)
    assert told["difference"]["mean"] == pytest.approx((60 * 0.1 + 5 * 0.5 + 30 * 0.1 + 5 * 0.8) / 100)
    assert told["difference"]["p95"] == pytest.approx(0.8)
    assert told["outcomes"] == {"approve": {"approve": 60, "decline": 5}, "decline": {"decline": 30, "approve": 5}}
    assert told["alert_rate"] == {"champion": 0.35, "challenger": 0.35}
    assert told["score_psi"] > 0.25
    assert (told["champion"], told["challenger"], told["verdict"]) == ("v-0", "v-1", "good")


def test_it_waits_for_enough_decisions_but_not_for_ever(shadowed: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shadowed.act("compare")["verdict"] == "wait"
    shadowed.deliver([shadowed.decided(number, 0.1, 0.2) for number in range(39)])
    answer = shadowed.act("compare")
    assert answer["verdict"] == "wait"
    assert answer["reason"].startswith("39 of 40 decisions compared")
    later = datetime.now(UTC).timestamp() + 61
    monkeypatch.setattr("functions.lifecycle.rollout.handler.time.time", lambda: later)
    answer = shadowed.act("compare")
    assert (answer["verdict"], answer["reason"].endswith("too little traffic")) == ("bad", True)


def test_a_challenger_that_alerts_too_often_is_bad(shadowed: Deployment) -> None:
    lines = [shadowed.decided(number, 0.9 if number < 15 else 0.1, 0.9 if number < 31 else 0.1) for number in range(80)]
    shadowed.deliver(lines[:30] + lines[40:])  # 30 alerts of 15: twice as many are allowed
    assert shadowed.act("compare")["verdict"] == "good"
    shadowed.deliver(lines)
    answer = shadowed.act("compare")
    assert answer["verdict"] == "bad"
    assert "31 alerts where the champion raised 15, in 80 decisions" in answer["reason"]


@pytest.mark.parametrize(("alerts", "verdict"), [(80, "good"), (81, "bad")])
def test_of_what_a_loud_champion_lets_pass_a_challenger_may_stop_half(
    shadowed: Deployment, alerts: int, verdict: str
) -> None:
    def score(number: int, below: int) -> float:
        return 0.9 if number < below else 0.1

    shadowed.deliver([shadowed.decided(number, score(number, 60), score(number, alerts)) for number in range(100)])
    answer = shadowed.act("compare")
    assert answer["verdict"] == verdict
    assert ("allowed are 80: 2 times as many" in answer["reason"]) == (verdict == "bad")


def test_a_handful_of_alerts_decides_nothing(shadowed: Deployment) -> None:
    shadowed.deliver([shadowed.decided(number, 0.1, 0.9 if number < 19 else 0.1) for number in range(80)])
    assert shadowed.act("compare")["verdict"] == "good"


def test_a_challenger_that_does_not_score_is_bad(shadowed: Deployment) -> None:
    # Calls that began before the switch still end with the model before.
    shadowed.deliver([shadowed.decided(number, 0.1, None) for number in range(60)])
    assert shadowed.act("compare")["verdict"] == "wait"
    later = (datetime.now(UTC) + timedelta(seconds=6)).isoformat()
    shadowed.deliver([shadowed.decided(number, 0.1, None, decided_at=later) for number in range(60, 120)])
    answer = shadowed.act("compare")
    assert answer["verdict"] == "bad"
    assert "scored only 0 of 60 decisions" in answer["reason"]


def test_decisions_before_the_switch_and_of_others_do_not_count(shadowed: Deployment) -> None:
    early = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    now = datetime.now(UTC).isoformat()
    old = [shadowed.decided(number, 0.1, 0.9, decided_at=early) for number in range(100)]
    not_yet = [shadowed.decided(number, 0.1, None, decided_at=now) for number in range(200, 230)]
    own = [shadowed.decided(number, 0.9, 0.1, model_version="v-1") for number in range(300, 400)]
    shadowed.deliver([*old, *not_yet, *own, *(shadowed.decided(number, 0.1, 0.1) for number in range(400, 450))])
    assert shadowed.act("compare")["verdict"] == "good"
    assert (report(shadowed)["rows"], report(shadowed)["missing"]) == (50, 0)


def test_packed_objects_are_read_and_bad_lines_counted(shadowed: Deployment) -> None:
    lines = [shadowed.decided(number, 0.1, 0.2) for number in range(50)]
    body = gzip.compress("\n".join(lines[:25]).encode()) + gzip.compress("\n".join(["", "{", *lines[25:]]).encode())
    key = f"fraud/decisions/dt={datetime.now(UTC):%Y-%m-%d}/packed"
    shadowed.s3.put_object(Bucket="lake", Key=key, Body=body)
    assert shadowed.act("compare")["verdict"] == "good"
    assert (report(shadowed)["rows"], report(shadowed)["bad_lines"]) == (50, 1)
