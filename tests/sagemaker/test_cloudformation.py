"""Templates with SageMaker's types: deployed, updated in place and by replacement, rolled back, deleted."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.endpoint_calls import Endpoints
from tests.sagemaker.programs import register
from tests.waiting import eventually

DONE = ("_COMPLETE", "_FAILED")
DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@pytest.fixture(scope="module")
def endpoints(platform: Platform, aws: Aws, role: str, bucket: str) -> Endpoints:
    """Endpoints of the serve program."""
    return Endpoints(aws, register(platform, "templates", "serve_program.py"), role, bucket)


class Stack:
    """A stack of the test's own."""

    def __init__(self, aws: Aws) -> None:
        self.client = aws.client("cloudformation")
        self.name = unique("stack")

    def deploy(self, template: dict[str, Any]) -> dict[str, str]:
        """Outputs once it is created or updated; fails with the events when it is not."""
        body = {"StackName": self.name, "TemplateBody": json.dumps(template)}
        if self._exists():
            self.client.update_stack(**body)
        else:
            self.client.create_stack(**body)
        status = self.settled()
        assert status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), self.reasons()
        stack = self.client.describe_stacks(StackName=self.name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def settled(self) -> str:
        """The stack's status once nothing moves."""

        def probe() -> str | None:
            status = str(self.client.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"])
            moving = not status.endswith(DONE) or "CLEANUP" in status
            return None if moving else status

        return eventually(probe, f"{self.name} to settle")

    def reasons(self) -> list[str]:
        """Why resources failed."""
        events = self.client.describe_stack_events(StackName=self.name)["StackEvents"]
        return [e["ResourceStatusReason"] for e in events if e["ResourceStatus"].endswith("FAILED")]

    def delete(self) -> None:
        """Returns when it is gone."""
        self.client.delete_stack(StackName=self.name)
        eventually(lambda: not self._exists(), f"the end of {self.name}")

    def _exists(self) -> bool:
        try:
            found = self.client.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError:
            return False
        assert found["StackStatus"] != "DELETE_FAILED", self.reasons()
        return bool(found["StackStatus"] != "DELETE_COMPLETE")


@pytest.fixture
def stack(aws: Aws) -> Stack:
    return Stack(aws)


def get(resource: str, attribute: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [resource, attribute]}


def endpoint_template(endpoints: Endpoints, url: str, target: float = 100.0) -> dict[str, Any]:
    """A model behind a scaled endpoint, as a construct would write it: no names of its own."""
    variant = {"VariantName": "AllTraffic", "ModelName": get("Model", "ModelName"), "InitialInstanceCount": "1",
               "InstanceType": "ml.m5.large", "InitialVariantWeight": 1}  # fmt: skip
    resource = {"Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/AllTraffic"}
    tracking = {"TargetValue": target, "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}  # fmt: skip
    tags = [{"Key": "suite", "Value": "test"}]
    resources = {
        "Model": ("SageMaker::Model", {"PrimaryContainer": {"Image": endpoints.image, "ModelDataUrl": url},
                                       "ExecutionRoleArn": endpoints.role, "Tags": tags}),
        "Config": ("SageMaker::EndpointConfig", {"ProductionVariants": [variant]}),
        "Endpoint": ("SageMaker::Endpoint", {"EndpointConfigName": get("Config", "EndpointConfigName")}),
        "Target": ("ApplicationAutoScaling::ScalableTarget", {
            "ServiceNamespace": "sagemaker", "ScalableDimension": DIMENSION, "ResourceId": resource,
            "MinCapacity": 1, "MaxCapacity": 2, "RoleARN": endpoints.role}),
        "Policy": ("ApplicationAutoScaling::ScalingPolicy", {
            "PolicyName": "load", "PolicyType": "TargetTrackingScaling", "ScalingTargetId": {"Ref": "Target"},
            "TargetTrackingScalingPolicyConfiguration": tracking}),
    }  # fmt: skip
    outputs = {"Endpoint": get("Endpoint", "EndpointName"), "EndpointArn": {"Ref": "Endpoint"},
               "Model": get("Model", "ModelName"), "ModelArn": {"Ref": "Model"}, "Target": {"Ref": "Target"},
               "Policy": {"Ref": "Policy"}, "Config": get("Config", "EndpointConfigName")}  # fmt: skip
    return template(resources, outputs)


def template(resources: dict[str, tuple[str, dict[str, Any]]], outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "Resources": {key: {"Type": f"AWS::{kind}", "Properties": given} for key, (kind, given) in resources.items()},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }


def test_an_endpoint_with_its_scaling_lives_in_a_stack(aws: Aws, endpoints: Endpoints, stack: Stack) -> None:
    sagemaker, scaling = aws.client("sagemaker"), aws.client("application-autoscaling")
    first = stack.deploy(endpoint_template(endpoints, endpoints.artefact(name="one")))
    assert endpoints.tell(first["Endpoint"])["model"] == "one"
    assert first["EndpointArn"] == endpoints.describe(first["Endpoint"])["EndpointArn"]
    assert first["ModelArn"] == sagemaker.describe_model(ModelName=first["Model"])["ModelArn"]
    assert first["Target"] == f"endpoint/{first['Endpoint']}/variant/AllTraffic|{DIMENSION}|sagemaker"
    told = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=first["ModelArn"])["Tags"]}
    assert told["suite"] == "test"
    assert told["aws:cloudformation:stack-name"] == stack.name

    second = stack.deploy(endpoint_template(endpoints, endpoints.artefact(name="two"), target=70.0))
    assert second["Endpoint"] == first["Endpoint"]
    assert second["Model"] != first["Model"]
    assert second["Config"] != first["Config"]
    assert endpoints.tell(second["Endpoint"])["model"] == "two"
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName=first["Model"])
    (policy,) = scaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", ResourceId=second["Target"].partition("|")[0]
    )["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70.0
    assert policy["PolicyARN"] == first["Policy"] == second["Policy"]

    stack.delete()
    assert endpoints.gone(first["Endpoint"])
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.describe_model(ModelName=second["Model"])
    assert scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[second["Target"].partition("|")[0]]
    )["ScalableTargets"] == []  # fmt: skip


def test_a_model_that_does_not_serve_rolls_the_stack_back(endpoints: Endpoints, stack: Stack) -> None:
    works = endpoint_template(endpoints, endpoints.artefact(name="works"))
    outputs = stack.deploy(works)
    missing = endpoint_template(endpoints, f"s3://{endpoints.bucket}/models/missing/model.tar.gz")
    stack.client.update_stack(StackName=stack.name, TemplateBody=json.dumps(missing))
    assert stack.settled() == "UPDATE_ROLLBACK_COMPLETE"
    assert endpoints.tell(outputs["Endpoint"])["model"] == "works"
    stack.delete()


def registry_template(group: str, pipeline: str, features: str, role: str, **changes: Any) -> dict[str, Any]:
    """A pipeline, a model package group and a feature group."""
    definition = {"Version": "2020-12-01", "Parameters": [], "Steps": [
        {"Name": "Refused", "Type": "Fail", "Arguments": {"ErrorMessage": changes.get("message", "no")}}]}  # fmt: skip
    names = ["card_id", "time", *changes.get("added", [])]
    resources = {
        "Group": ("SageMaker::ModelPackageGroup", {
            "ModelPackageGroupName": group, "ModelPackageGroupDescription": "of a test",
            "Tags": [{"Key": "kind", "Value": changes.get("tag", "old")}]}),
        "Pipeline": ("SageMaker::Pipeline", {
            "PipelineName": pipeline, "RoleArn": role,
            "PipelineDefinition": {"PipelineDefinitionBody": json.dumps(definition)}}),
        "Features": ("SageMaker::FeatureGroup", {
            "FeatureGroupName": features, "RecordIdentifierFeatureName": "card_id", "EventTimeFeatureName": "time",
            "FeatureDefinitions": [{"FeatureName": name, "FeatureType": "String"} for name in names],
            "OnlineStoreConfig": {"EnableOnlineStore": "true"}}),
    }  # fmt: skip
    outputs = {"Group": {"Ref": "Group"}, "GroupArn": get("Group", "ModelPackageGroupArn"),
               "Status": get("Group", "ModelPackageGroupStatus"), "Pipeline": {"Ref": "Pipeline"},
               "Features": {"Ref": "Features"}, "Created": get("Features", "CreationTime")}  # fmt: skip
    return template(resources, outputs)


def test_pipeline_registry_and_features_live_in_a_stack(aws: Aws, stack: Stack, role: str) -> None:
    sagemaker = aws.client("sagemaker")
    group, pipeline, features = unique("group"), unique("pipeline"), unique("features")
    outputs = stack.deploy(registry_template(group, pipeline, features, role))
    arn = sagemaker.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
    assert outputs["Group"] == outputs["GroupArn"] == arn
    assert outputs["Status"] == "Completed"
    assert (outputs["Pipeline"], outputs["Features"]) == (pipeline, features)
    assert outputs["Created"].startswith("20")

    stack.deploy(registry_template(group, pipeline, features, role, message="not", tag="new", added=["amount"]))
    assert "not" in sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"]
    definitions = sagemaker.describe_feature_group(FeatureGroupName=features)["FeatureDefinitions"]
    assert [definition["FeatureName"] for definition in definitions] == ["card_id", "time", "amount"]
    assert {"Key": "kind", "Value": "new"} in sagemaker.list_tags(ResourceArn=arn)["Tags"]

    stack.delete()
    for call in (
        lambda: sagemaker.describe_pipeline(PipelineName=pipeline),
        lambda: sagemaker.describe_model_package_group(ModelPackageGroupName=group),
        lambda: sagemaker.describe_feature_group(FeatureGroupName=features),
    ):
        with pytest.raises(ClientError):
            call()


@pytest.mark.parametrize(
    ("kind", "given", "reason"),
    [
        ("SageMaker::ModelPackageGroup", {"ModelPackageGroupName": "a b"}, "regular expression pattern"),
        ("SageMaker::ModelPackageGroup", {"ModelPackageGroupName": "g", "Colour": "red"}, "extraneous key"),
        ("SageMaker::Endpoint", {"EndpointConfigName": "gone"}, "Could not find"),
    ],
)
def test_a_wrong_property_fails_the_stack_with_its_reason(stack: Stack, kind: str, given: Any, reason: str) -> None:
    body = json.dumps(template({"It": (kind, given)}, {}))
    stack.client.create_stack(StackName=stack.name, TemplateBody=body)
    assert stack.settled() == "ROLLBACK_COMPLETE"
    assert reason in " ".join(stack.reasons())
    stack.delete()
