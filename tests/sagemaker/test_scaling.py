"""Application Auto Scaling: a variant's instances follow its invocations, within the limits of its target."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.platform.process import Platform
from tests.checked import Aws, unique
from tests.sagemaker.endpoint_calls import INSTANCE, Endpoints
from tests.sagemaker.programs import register
from tests.waiting import eventually

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
METRIC = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}


@pytest.fixture(scope="module")
def endpoints(platform: Platform, aws: Aws, role: str, bucket: str) -> Endpoints:
    """Endpoints of the serve program."""
    return Endpoints(aws, register(platform, "scaled", "serve_program.py"), role, bucket)


@pytest.fixture(scope="module")
def scaling(aws: Aws) -> Any:
    return aws.client("application-autoscaling")


def target(endpoint: str, **more: Any) -> dict[str, Any]:
    return {"ServiceNamespace": "sagemaker", "ResourceId": f"endpoint/{endpoint}/variant/AllTraffic",
            "ScalableDimension": DIMENSION, **more}  # fmt: skip


def policy(endpoint: str, value: float, **more: Any) -> dict[str, Any]:
    configuration = {"TargetValue": value, "PredefinedMetricSpecification": METRIC, **more}
    return target(endpoint, PolicyName="load", PolicyType="TargetTrackingScaling",
                  TargetTrackingScalingPolicyConfiguration=configuration)  # fmt: skip


def instances(endpoints: Endpoints, endpoint: str) -> int:
    return int(endpoints.describe(endpoint)["ProductionVariants"][0]["DesiredInstanceCount"])


def test_instances_follow_the_invocations_within_the_limits(endpoints: Endpoints, scaling: Any) -> None:
    endpoint = endpoints.serving()
    arn = scaling.register_scalable_target(**target(endpoint, MinCapacity=1, MaxCapacity=2))["ScalableTargetARN"]
    assert scaling.register_scalable_target(**target(endpoint, MaxCapacity=3))["ScalableTargetARN"] == arn
    described = scaling.describe_scalable_targets(**{k: v for k, v in target(endpoint).items() if k != "ResourceId"})
    assert (1, 3) in [(t["MinCapacity"], t["MaxCapacity"]) for t in described["ScalableTargets"]]
    scaling.put_scaling_policy(**policy(endpoint, 2.0, ScaleOutCooldown=0, DisableScaleIn=True))
    for _ in range(9):  # 9 a minute at 2 for each instance would be 5; at most 3 are allowed
        endpoints.tell(endpoint)
    eventually(lambda: instances(endpoints, endpoint) == 3, "three instances")
    scaling.delete_scaling_policy(**target(endpoint, PolicyName="load"))
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=target(endpoint)["ResourceId"])[
        "ScalingPolicies"
    ] == []  # fmt: skip


def test_new_limits_hold_at_once(endpoints: Endpoints, scaling: Any) -> None:
    endpoint = endpoints.serving({**INSTANCE, "InitialInstanceCount": 3})
    scaling.register_scalable_target(**target(endpoint, MinCapacity=1, MaxCapacity=2))
    eventually(lambda: instances(endpoints, endpoint) == 2, "two instances")


def test_a_policy_is_described_and_goes_with_its_target(endpoints: Endpoints, scaling: Any) -> None:
    endpoint = endpoints.serving()
    scaling.register_scalable_target(**target(endpoint, MinCapacity=1, MaxCapacity=1))
    first = scaling.put_scaling_policy(**policy(endpoint, 100.0))["PolicyARN"]
    assert scaling.put_scaling_policy(**policy(endpoint, 70.0))["PolicyARN"] == first
    resource = {"ServiceNamespace": "sagemaker", "ResourceId": target(endpoint)["ResourceId"]}
    (found,) = scaling.describe_scaling_policies(**resource)["ScalingPolicies"]
    assert found["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70.0
    scaling.deregister_scalable_target(**target(endpoint))
    assert scaling.describe_scaling_policies(**resource)["ScalingPolicies"] == []
    with pytest.raises(ClientError) as failed:
        scaling.deregister_scalable_target(**target(endpoint))
    assert failed.value.response["Error"]["Code"] == "ObjectNotFoundException"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ResourceId": "endpoint/gone/variant/AllTraffic"}, "No scalable resource"),
        ({"ResourceId": "table/t"}, "Unsupported resource type"),
        ({"ServiceNamespace": "dynamodb", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}, "scales sagemaker"),
        ({"ServiceNamespace": "stars"}, "enum value set"),
    ],
)
def test_what_cannot_be_scaled_is_refused(scaling: Any, change: dict[str, str], reason: str) -> None:
    with pytest.raises(ClientError, match=reason) as failed:
        scaling.register_scalable_target(**{**target(unique("e")), **change}, MinCapacity=1, MaxCapacity=2)
    assert failed.value.response["Error"]["Code"] == "ValidationException"


def test_policies_that_are_not_served_are_refused(endpoints: Endpoints, scaling: Any) -> None:
    endpoint = endpoints.serving()
    with pytest.raises(ClientError, match="No scalable target"):
        scaling.put_scaling_policy(**policy(endpoint, 1.0))
    with pytest.raises(ClientError, match="Maximum capacity"):
        scaling.register_scalable_target(**target(endpoint, MinCapacity=2, MaxCapacity=1))
    scaling.register_scalable_target(**target(endpoint, MinCapacity=1, MaxCapacity=1))
    with pytest.raises(ClientError, match="TargetTrackingScaling"):
        scaling.put_scaling_policy(**{**policy(endpoint, 1.0), "PolicyType": "StepScaling"})
    with pytest.raises(ClientError, match="tracks SageMakerVariantInvocationsPerInstance only"):
        scaling.put_scaling_policy(
            **policy(endpoint, 1.0, PredefinedMetricSpecification={"PredefinedMetricType": "ALBRequestCountPerTarget"})
        )
