"""A bad challenger is taken back at once, whoever says so and however far it had come; the live model stays live."""

import pytest

from cuatro.errors import Rejected, Unavailable
from tests.functional.lifecycle.deployment import FOLLOWS, PLAN, WEIGHTED, Deployment
from tests.functional.suite import client

ALL = (*WEIGHTED, *FOLLOWS)


def ring(name: str, state: str = "ALARM", reason: str = "10 errors") -> None:
    client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)


def untouched(deployment: Deployment) -> bool:
    """Do all calls go to what was there before, with nothing left in $LATEST either?"""
    aliases = all(deployment.alias(name) == ("1", {}) for name in ALL)
    return aliases and all(deployment.uris(name, "$LATEST") == ("model.onnx", "") for name in ALL)


def test_an_alarm_at_ten_per_cent_ends_it(deployment: Deployment) -> None:
    arn = deployment.shadowed()
    deployment.act("shift")
    ring("score-errors")
    found = deployment.act("check")
    assert (found["verdict"], found["reason"]) == ("bad", "at 10% of the calls: alarm score-errors: 10 errors")
    answer = deployment.act("roll_back", reason=found["reason"])
    assert answer["version"] == "v-0"
    assert untouched(deployment)
    assert deployment.registry.stage(arn) == ("RolledBack", "Failed", found["reason"])
    (event,) = deployment.events("ModelRolledBack")
    assert (event["model_version"], event["back_to"], event["weight"]) == ("v-1", "v-0", 0.1)
    assert event["reason"] == found["reason"]
    for action in ("shift", "check", "finish"):
        with pytest.raises(Rejected, match="v-1 was rolled_back: at 10%"):
            deployment.act(action)


def test_an_alarm_that_rang_before_says_nothing_until_it_rings_again(deployment: Deployment) -> None:
    ring("behind")
    deployment.shadowed()
    deployment.act("shift")
    found = deployment.act("check")
    assert found == {"verdict": "good", "reason": "no alarm at 10% of the calls; ringing since before: behind"}
    ring("behind", "OK", "")
    ring("behind")
    assert deployment.act("check")["verdict"] == "bad"


def test_without_an_alarm_to_look_at_nothing_is_called_good(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.shadowed()
    client("cloudwatch").delete_alarms(AlarmNames=["behind"])
    with pytest.raises(Exception, match="there is no alarm behind"):
        deployment.act("check")


def test_a_person_ends_the_roll_out_under_way(deployment: Deployment) -> None:
    deployment.shadowed()
    deployment.act("shift")
    answer = deployment.act("roll_back", execution="", reason="I do not like it")
    assert answer["summary"] == "the roll-out of v-1 was ended: v-0 decides, as before"
    assert untouched(deployment)


def test_a_person_goes_back_to_the_model_before(deployment: Deployment) -> None:
    first = deployment.promoted()
    second = deployment.promoted(version="v-2", content=b"second")
    answer = deployment.act("roll_back", execution="", reason="too many complaints")
    assert answer["summary"] == "v-1 decides again in place of v-2"
    for name in ALL:
        uri, shadow = deployment.uris(name)
        assert deployment.files(name)[uri] == b"challenger"
        assert shadow == ("shadow.onnx" if name in FOLLOWS else "")
    assert (deployment.item("live")["version"], deployment.item("live")["package_arn"]) == ("v-1", first)
    assert deployment.registry.stage(first)[0] == "Production"
    assert deployment.registry.stage(second) == ("RolledBack", "Failed", "too many complaints")
    assert deployment.events("ModelRolledBack")[-1]["back_to"] == "v-1"
    with pytest.raises(Rejected, match="no model before it is known"):
        deployment.act("roll_back", execution="", reason="further")


def test_a_person_goes_back_to_the_shipped_model(deployment: Deployment) -> None:
    deployment.promoted()
    deployment.act("roll_back", execution="", reason="x")
    assert all(deployment.files(name)[deployment.uris(name)[0]] == b"shipped" for name in ALL)
    assert deployment.item("live")["package_arn"] == "shipped"
    deployment.promoted(version="v-2", content=b"second")
    assert deployment.files("score")["model.onnx"] == b"shipped"


def test_a_failure_s_reason_is_told_in_words(deployment: Deployment) -> None:
    arn = deployment.shadowed()
    cause = '{"errorMessage": "s3://x holds no model.onnx", "errorType": "Rejected", "stackTrace": ["..."]}'
    deployment.act("roll_back", reason=cause)
    assert deployment.registry.stage(arn)[2] == "s3://x holds no model.onnx"


def test_a_roll_back_that_breaks_off_is_continued(deployment: Deployment) -> None:
    deployment.shadowed()
    deployment.act("shift")
    deployment.wire.down("PutEvents")
    with pytest.raises(Unavailable, match="the bus"):
        deployment.act("roll_back", reason="bad")
    assert untouched(deployment), "first of all the calls go back"
    assert deployment.item("rollout")["phase"] == "rolling_back"
    with pytest.raises(Rejected):
        deployment.act("shift")
    deployment.wire.repair()
    assert deployment.act("roll_back", reason="other words")["version"] == "v-0"
    assert (deployment.item("rollout")["phase"], deployment.item("rollout")["reason"]) == ("rolled_back", "bad")


def test_a_finish_that_breaks_off_can_still_be_taken_back(deployment: Deployment) -> None:
    arn = deployment.shadowed()
    for _ in (*PLAN["weights"], 1.0):
        deployment.act("shift")
        deployment.act("check")
    deployment.wire.down("PutEvents")
    with pytest.raises(Unavailable):
        deployment.act("finish")
    deployment.wire.repair()
    deployment.act("roll_back", reason="finish failed")
    assert untouched(deployment)
    assert deployment.item("live")["version"] == "v-0"
    assert deployment.registry.stage(arn)[0] == "RolledBack"


def test_a_step_that_comes_while_a_person_rolls_back_does_not_win(deployment: Deployment) -> None:
    deployment.shadowed()
    done: list[str] = []

    def person() -> None:
        if not done:
            done.append("")
            deployment.act("roll_back", execution="", reason="stop")

    deployment.wire.first("PutObject", person, times=100)  # the first PUT to Lambda of the step
    with pytest.raises(Unavailable, match="ended meanwhile"):
        deployment.act("shift")
    assert done
    assert all(deployment.alias(name) == ("1", {}) for name in ALL)
