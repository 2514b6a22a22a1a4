"""Grants that cannot name their resource exactly: names that AWS makes up, actions that know no resource. With reasons.

Each is told to cdk-nag here; tests/stacks/test_access.py lists all that there are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from cdk.constructs.findings import acknowledge


def allow_begun(role: iam.Role, actions: Sequence[str], service: str, resource: str, because: str) -> None:
    """Let `role` do `actions` on this account's resources whose name begins so; `resource` ends in an asterisk."""
    stack = Stack.of(role)
    colon = service in {"logs", "lambda", "states"}
    kind, _, name = resource.partition(":" if colon else "/")
    arn = stack.format_arn(
        service=service, resource=kind, resource_name=name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME if colon else ArnFormat.SLASH_RESOURCE_NAME,
    )  # fmt: skip
    role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=[arn]))
    acknowledge(
        role, f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:{service}:<AWS::Region>:<AWS::AccountId>:{resource}]",
        because,
    )  # fmt: skip


def everywhere(actions: Sequence[str], conditions: Mapping[str, Any] | None = None) -> iam.PolicyStatement:
    """A statement for actions that AWS checks on no resource."""
    return iam.PolicyStatement(actions=list(actions), resources=["*"], conditions=dict(conditions or {}))


def allow_versions(role: iam.Role, action: str, function: lambda_.Function) -> None:
    """Let `role` do `action` on every version and alias of `function`."""
    role.add_to_policy(iam.PolicyStatement(actions=[action], resources=[f"{function.function_arn}:*"]))
    logical = Stack.of(function).get_logical_id(function.node.default_child)  # type: ignore[arg-type]
    acknowledge(
        role, f"AwsSolutions-IAM5[Resource::<{logical}.Arn>:*]", "Lambda numbers the versions that a roll-out makes."
    )
