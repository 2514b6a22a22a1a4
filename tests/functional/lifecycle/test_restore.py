"""A deployment brings the template's model; the live one is put back, and CloudFormation hears how it went."""

import json
from typing import Any

import pytest

from cuatro.config import settings
from cuatro.errors import Unavailable
from tests.functional.lifecycle.deployment import FOLLOWS, WEIGHTED, Deployment
from tests.functional.suite import Context

ALL = (*WEIGHTED, *FOLLOWS)
SHIPPED_LAYER = b"cuatrofraud-model"


class CloudFormation:
    """Answers that came to the ResponseURL."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.answers: list[dict[str, Any]] = []

    def ask(self, kind: str = "Update") -> dict[str, Any]:
        """One event of the custom resource; its answer."""
        from functions.lifecycle.rollout.handler import handler  # noqa: PLC0415

        event = {
            "RequestType": kind, "ResponseURL": f"{self.address}/answer?signature=x", "StackId": "stack",
            "RequestId": "1", "LogicalResourceId": "RestoreModel", "ResourceProperties": {"Versions": ["a:1"]},
        }  # fmt: skip
        handler(event, Context())
        return self.answers.pop()


@pytest.fixture
def cloudformation(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> CloudFormation:
    told = CloudFormation("")
    send = deployment.wire.send

    def routed(request: Any) -> Any:
        if request.url.startswith("https://answers.example"):
            assert request.method == "PUT"
            assert request.headers["Content-Type"] == "", "the address is signed without one"
            told.answers.append(json.loads(request.body))

            class Response:
                status_code = 200

            return Response()
        return send(request)

    told.address = "https://answers.example"
    monkeypatch.setattr(deployment.wire, "send", routed)
    return told


def test_the_live_model_is_put_back_behind_the_aliases(deployment: Deployment, cloudformation: CloudFormation) -> None:
    deployment.promoted()
    deployment.deploy()
    assert deployment.uris("score") == ("model.onnx", "")
    answer = cloudformation.ask()
    assert (answer["Status"], answer["LogicalResourceId"]) == ("SUCCESS", "RestoreModel")
    assert answer["Reason"] == "v-1 is live, put back in 4 of 4"
    for name in ALL:
        assert deployment.files(name)[deployment.uris(name)[0]] == b"challenger"
        assert deployment.uris(name)[1] == ("model.onnx" if name in FOLLOWS else "")
    assert cloudformation.ask()["Reason"] == "v-1 is live, put back in 0 of 4"


def test_without_a_promotion_there_is_nothing_to_do(deployment: Deployment, cloudformation: CloudFormation) -> None:
    assert cloudformation.ask("Create")["Status"] == "SUCCESS"
    assert deployment.alias("score") == ("1", {})
    deployment.promoted()
    deployment.deploy()
    before = deployment.alias("score")
    assert cloudformation.ask("Delete")["Status"] == "SUCCESS"
    assert deployment.alias("score") == before


def test_a_roll_out_that_a_deployment_hits_is_ended(deployment: Deployment, cloudformation: CloudFormation) -> None:
    arn = deployment.shadowed()
    deployment.act("shift")
    deployment.deploy()
    assert "the roll-out of v-1 was ended" in cloudformation.ask()["Reason"]
    assert deployment.registry.stage(arn)[0] == "RolledBack"
    assert deployment.uris("score") == ("model.onnx", "")


@pytest.mark.parametrize("code", [("score",), ALL])
def test_a_deployment_of_code_alone_brings_no_challenger_live(
    deployment: Deployment, cloudformation: CloudFormation, code: tuple[str, ...]
) -> None:
    deployment.shadowed()
    deployment.act("shift")
    deployment.deploy_code(*code)
    assert deployment.uris("score") == ("shadow.onnx", "model.onnx"), "without more, the challenger would decide alone"
    assert "4 of 4 functions cleared of it" in cloudformation.ask()["Reason"]
    for name in ALL:
        assert deployment.files(name) == {"model.onnx": SHIPPED_LAYER}
        assert deployment.uris(name) == ("model.onnx", "")
        assert deployment.alias(name)[1] == {}
    assert "0 of 4" in cloudformation.ask()["Reason"]


def test_weights_of_a_second_roll_out_do_not_outlive_a_deployment(
    deployment: Deployment, cloudformation: CloudFormation
) -> None:
    deployment.promoted()
    deployment.shadowed(version="v-2", content=b"second")
    deployment.act("shift")
    deployment.deploy_code("act")
    assert cloudformation.ask()["Reason"].endswith("v-1 is live, put back in 4 of 4")
    for name in ALL:
        assert deployment.files(name)[deployment.uris(name)[0]] == b"challenger"
        assert deployment.alias(name)[1] == {}


def test_weights_on_a_version_of_the_live_model_are_taken_away(
    deployment: Deployment, cloudformation: CloudFormation
) -> None:
    deployment.promoted()
    version, _ = deployment.alias("score")
    weights = {"AdditionalVersionWeights": {"1": 0.1}}
    deployment.lambda_.update_alias(FunctionName="score", Name="live", FunctionVersion=version, RoutingConfig=weights)
    assert cloudformation.ask()["Reason"] == "v-1 is live, put back in 1 of 4"
    assert deployment.alias("score")[1] == {}


def test_a_model_of_other_features_is_not_put_back(
    deployment: Deployment, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = deployment.promoted()
    deployment.deploy()
    monkeypatch.setenv("FEATURE_SET", "features-2")
    settings.cache_clear()
    why = "v-1 was made for other features than the deployed code's"
    assert cloudformation.ask()["Reason"] == f"the shipped model is live: {why}"
    assert deployment.uris("score") == ("model.onnx", "")
    assert deployment.files("score")["model.onnx"] == SHIPPED_LAYER
    assert (deployment.item("live")["version"], deployment.item("live")["package_arn"]) == ("v-0", "shipped")
    assert deployment.registry.stage(arn)[:2] == ("Retired", "Failed")
    assert cloudformation.ask()["Reason"] == "the shipped model is live"


def test_a_roll_out_that_lacked_only_its_last_words_is_finished(
    deployment: Deployment, cloudformation: CloudFormation
) -> None:
    arn = deployment.shadowed()
    for _ in range(3):
        deployment.act("shift")
        deployment.act("check")
    deployment.wire.down("PutEvents")
    with pytest.raises(Unavailable):
        deployment.act("finish")
    deployment.wire.repair()
    deployment.deploy()
    answer = cloudformation.ask()["Reason"]
    assert answer == "the roll-out of v-1 was finished; v-1 is live, put back in 4 of 4"
    assert deployment.item("rollout")["phase"] == "finished"
    assert deployment.registry.stage(arn)[0] == "Production"


def test_a_failure_is_told_and_raised(deployment: Deployment, cloudformation: CloudFormation) -> None:
    deployment.promoted()
    deployment.deploy()
    deployment.layers.pop()
    deployment.deploy()
    with pytest.raises(Exception, match="no layer cuatrofraud-model"):
        cloudformation.ask()
    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert "no layer cuatrofraud-model" in answer["Reason"]
