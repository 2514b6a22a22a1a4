"""What a roll-out may do: change these functions' versions and aliases, publish this layer, judge, tell."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam

from cdk.constructs.findings import acknowledge
from cdk.constructs.lake import Lake
from cdk.constructs.state_table import StateTable
from cdk.constructs.suite_function import SuiteFunction
from cdk.constructs.wildcards import allow_begun, allow_versions, everywhere

_VERSIONED = ("GetAlias", "GetFunctionConfiguration", "PublishVersion", "UpdateAlias", "UpdateFunctionConfiguration")


def allow_functions(role: iam.Role, functions: Sequence[SuiteFunction], layer_name: str) -> None:
    """Grant putting another model into exactly these functions and shifting their aliases to it."""
    arns = [each.function.function_arn for each in functions]
    role.add_to_policy(iam.PolicyStatement(actions=[f"lambda:{action}" for action in _VERSIONED], resources=arns))
    for each in functions:
        allow_versions(role, "lambda:GetFunctionConfiguration", each.function)
    layer = Stack.of(role).format_arn(
        service="lambda", resource="layer", resource_name=layer_name, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    role.add_to_policy(iam.PolicyStatement(actions=["lambda:PublishLayerVersion"], resources=[layer]))
    kept = {reference.layer_version_arn for each in functions for reference in each.layers}
    role.add_to_policy(iam.PolicyStatement(actions=["lambda:GetLayerVersion"], resources=sorted(kept)))
    allow_begun(
        role,
        ["lambda:GetLayerVersion"],
        "lambda",
        f"layer:{layer_name}:*",
        "Lambda numbers the versions of the layer itself.",
    )


def allow_registry(role: iam.Role, group: str) -> None:
    """Grant reading a registered version and writing the stage that it is in."""
    allow_begun(
        role, ["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"], "sagemaker",
        f"model-package/{group}/*", "SageMaker numbers the versions in the group.",
    )  # fmt: skip


def allow_judging(role: iam.Role, lake: Lake, compared: str, machine: str) -> None:
    """Grant comparing what a folder of the lake holds, looking at alarms, asking whether another roll-out runs."""
    lake.allow_read(role, compared, "models")
    lake.allow_write(role, "reports/shadow", "models/layers")
    role.add_to_policy(everywhere(["cloudwatch:DescribeAlarms"]))
    acknowledge(role, "AwsSolutions-IAM5[Resource::*]", "CloudWatch checks the reading of alarms on all of them.")
    allow_begun(
        role,
        ["states:DescribeExecution"],
        "states",
        f"execution:{machine}:*",
        "EventBridge makes up the names of executions.",
    )


def allow_telling(role: iam.Role, models: StateTable, bus: events.IEventBus) -> None:
    """Grant keeping the state of the roll-out and announcing its end."""
    models.allow(role, "BatchGetItem", "PartiQLInsert", "PartiQLUpdate")
    role.add_to_policy(iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus.event_bus_arn]))
