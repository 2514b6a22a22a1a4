"""A version's way to being live: shadow, comparison, weights, checks, the end; each action may come twice."""

import hashlib

import pytest

from cuatro.adapters import lambda_functions
from cuatro.errors import Refused, Rejected, Unavailable
from functions.lifecycle.rollout import layer
from tests.functional.lifecycle.deployment import FOLLOWS, WEIGHTED, Deployment
from tests.functional.suite import client

BOTH = ("model.onnx", "shadow.onnx")


def test_a_version_goes_live_step_by_step(deployment: Deployment) -> None:
    arn = deployment.challenger()
    assert deployment.act("begin", model_package_arn=arn) == {"package": arn, "version": "v-1", "shadow_s": 5}
    assert deployment.uris("score") == ("model.onnx", ""), "nothing has changed yet"

    deployment.act("shadow")
    for name in (*WEIGHTED, *FOLLOWS):
        assert deployment.uris(name) == BOTH
        files = deployment.files(name)
        assert (files["model.onnx"], files["shadow.onnx"]) == (b"shipped", b"challenger")
        assert files["shadow.onnx.sha256"].decode().strip() == hashlib.sha256(b"challenger").hexdigest()
    assert deployment.registry.stage(arn)[:2] == ("Shadow", "InProgress")

    deployment.deliver([deployment.decided(number, 0.1, 0.2) for number in range(50)])
    assert deployment.act("compare")["verdict"] == "good"

    for weight, wait_s, last in ((0.1, 7, False), (0.5, 7, False), (1.0, 9, True)):
        assert deployment.act("shift") == {"weight": weight, "wait_s": wait_s, "last": last}
        for name in WEIGHTED:
            version, others = deployment.alias(name)
            (canary, share) = next(iter(others.items())) if others else (version, 1.0)
            assert share == weight
            assert deployment.uris(name, canary) == BOTH[::-1]
        assert all(deployment.alias(name)[1] == {} for name in FOLLOWS)
        assert deployment.registry.stage(arn)[0] == "Canary"
        assert deployment.act("check")["verdict"] == "good"

    assert deployment.act("finish")["summary"] == "v-1 is live"
    assert [deployment.uris(name) for name in WEIGHTED] == [("shadow.onnx", "")] * 2
    assert [deployment.uris(name) for name in FOLLOWS] == [BOTH[::-1]] * 2
    assert all(deployment.alias(name)[1] == {} for name in (*WEIGHTED, *FOLLOWS))
    live = deployment.item("live")
    assert (live["version"], live["package_arn"], live["previous"]["version"]) == ("v-1", arn, "v-0")
    assert deployment.item("rollout")["phase"] == "finished"
    assert deployment.registry.stage(arn)[:2] == ("Production", "Succeeded")
    (event,) = deployment.events("ModelPromoted")
    assert (event["model_version"], event["previous_version"], event["pipeline"]) == ("v-1", "v-0", "fraud")
    assert event["report"] == "s3://lake/fraud/reports/shadow/v-1.json"


def test_every_action_may_be_repeated(deployment: Deployment) -> None:
    arn = deployment.challenger()
    for _ in range(2):
        assert deployment.act("begin", model_package_arn=arn)["version"] == "v-1"
    layers = {deployment.act("shadow")["layer"] for _ in range(2)}
    assert len(layers) == 1
    since = {deployment.act("shadow")["since"] for _ in range(2)}
    assert len(since) == 1
    assert [deployment.act("shift")["weight"] for _ in range(3)] == [0.1] * 3, "no step before the last was checked"
    for _ in range(2):
        deployment.act("check")
    assert deployment.act("shift")["weight"] == 0.5
    deployment.act("check")
    assert deployment.act("shift")["last"]
    with pytest.raises(Rejected, match="2 of 3 steps"):
        deployment.act("finish")
    deployment.act("check")
    for _ in range(2):
        assert deployment.act("finish")["version"] == "v-1"
    assert deployment.item("live")["previous"]["version"] == "v-0"


def test_the_next_version_is_compared_with_the_promoted_one(deployment: Deployment) -> None:
    first = deployment.promoted()
    second = deployment.shadowed(version="v-2", content=b"second")
    files = deployment.files("score")
    assert (files["model.onnx"], files["shadow.onnx"]) == (b"challenger", b"second")
    assert deployment.registry.stage(first)[0] == "Production"
    for _ in range(3):
        deployment.act("shift")
        deployment.act("check")
    deployment.act("finish")
    assert deployment.registry.stage(first)[0] == "Retired"
    assert deployment.registry.stage(second)[0] == "Production"


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        ({"sha256": "0" * 64}, "another SHA-256"),
        ({"approval": "PendingManualApproval"}, "only approved versions"),
        ({"sha256": ""}, "model_sha256"),
        ({"feature_set": "features-2"}, "other features"),
    ],
)
def test_what_is_not_what_was_registered_changes_nothing(
    deployment: Deployment, package: dict[str, str], reason: str
) -> None:
    arn = deployment.challenger(**package)
    with pytest.raises(Rejected, match=reason):
        deployment.act("begin", model_package_arn=arn)
    assert deployment.alias("score") == ("1", {})
    assert deployment.act("roll_back", reason="begin failed")["summary"].startswith("nothing to take back")
    if "approval" not in package:  # whoever decides about it has not spoken yet
        assert deployment.registry.stage(arn)[:2] == ("RolledBack", "Failed")
        assert reason in deployment.registry.stage(arn)[2]


def test_a_version_without_its_file_is_turned_away(deployment: Deployment) -> None:
    arn = deployment.challenger()
    deployment.s3.delete_object(Bucket="lake", Key="fraud/models/v-1/model.tar.gz")
    with pytest.raises(Refused, match="NoSuchKey"):
        deployment.act("begin", model_package_arn=arn)
    assert "NoSuchKey" in deployment.registry.stage(arn)[2]


def test_an_archive_without_a_model_is_refused(deployment: Deployment) -> None:
    arn = deployment.challenger()
    deployment.s3.put_object(Bucket="lake", Key="fraud/models/v-1/model.tar.gz", Body=b"no archive")
    with pytest.raises(Rejected, match="no archive of a model"):
        deployment.act("begin", model_package_arn=arn)


def test_a_layer_too_large_for_a_call_goes_by_the_lake(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_functions, "DIRECT", 100)
    deployment.shadowed()
    assert deployment.files("score")["shadow.onnx"] == b"challenger"
    listed = deployment.s3.list_objects_v2(Bucket="lake", Prefix="fraud/models/layers/")["Contents"]
    body = deployment.s3.get_object(Bucket="lake", Key=listed[0]["Key"])["Body"].read()
    assert [each["Key"] for each in listed] == [f"fraud/models/layers/{hashlib.sha256(body).hexdigest()}.zip"]


def test_a_model_that_fits_into_no_function_is_turned_away(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layer, "LARGEST", 9)
    arn = deployment.challenger()
    with pytest.raises(Rejected, match="more than 9 bytes, two of them fit into no function"):
        deployment.act("begin", model_package_arn=arn)
    assert deployment.registry.stage(arn)[:2] == ("RolledBack", "Failed")


def test_one_roll_out_at_a_time(deployment: Deployment) -> None:
    arn = deployment.shadowed()
    other = "arn:aws:states:eu-west-1:123456789012:execution:rollout:two"
    with pytest.raises(Rejected, match="belongs to"):
        deployment.act("shift", execution=other)
    assert deployment.act("roll_back", execution=other, reason="x")["version"] == ""
    assert deployment.item("rollout")["phase"] == "shadow"
    with pytest.raises(Rejected, match="belongs to"):
        deployment.act("finish", execution=other)
    # The execution that began it is gone: the next one takes over, from where it was before.
    second = deployment.challenger(version="v-2", content=b"second")
    assert deployment.act("begin", execution=other, model_package_arn=second)["version"] == "v-2"
    assert deployment.registry.stage(arn)[:2] == ("RolledBack", "Failed")
    assert deployment.uris("score") == ("model.onnx", "")
    assert deployment.item("rollout")["version"] == "v-2"


def test_a_roll_out_whose_execution_runs_is_left_alone(deployment: Deployment) -> None:
    states = client("stepfunctions")
    role = "arn:aws:iam::123456789012:role/states"
    machine = states.create_state_machine(name="rollout", definition="{}", roleArn=role)["stateMachineArn"]
    running = states.start_execution(stateMachineArn=machine)["executionArn"]
    deployment.act("begin", execution=running, model_package_arn=deployment.challenger())
    second = deployment.challenger(version="v-2")
    with pytest.raises(Rejected, match="v-1 is being rolled out already"):
        deployment.act("begin", execution="arn:aws:states:other", model_package_arn=second)
    assert deployment.registry.stage(second)[0] == "RolledBack"
    assert "approve this version again" in deployment.registry.stage(second)[2]
    assert deployment.act("roll_back", execution="arn:aws:states:other", reason="begin failed")["version"] == ""
    assert deployment.item("rollout")["phase"] == "begun"


def test_what_is_live_is_not_rolled_out_again(deployment: Deployment) -> None:
    arn = deployment.promoted()
    with pytest.raises(Rejected, match="is live already"):
        deployment.act("begin", model_package_arn=arn)
    assert deployment.registry.stage(arn)[0] == "Production"
    with pytest.raises(Rejected, match="no roll-out is under way"):
        deployment.act("shift")
    assert deployment.act("roll_back", execution="arn:aws:states:else", reason="begin failed")["version"] == ""
    assert deployment.item("live")["version"] == "v-1"


def test_while_a_function_is_being_updated_the_action_is_tried_again(deployment: Deployment) -> None:
    arn = deployment.challenger()
    deployment.act("begin", model_package_arn=arn)
    deployment.wire.refuse("PUT", "ResourceConflictException", status=409)
    deployment.wire.refuse("PutObject", "ResourceConflictException", status=409)
    with pytest.raises(Unavailable):
        deployment.act("shadow")
    deployment.wire.repair()
    deployment.act("shadow")
    assert deployment.uris("score") == BOTH


def test_an_unknown_action_is_refused(deployment: Deployment) -> None:
    with pytest.raises(Rejected, match="is none of begin"):
        deployment.act("promote")
