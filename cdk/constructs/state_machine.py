"""Definition in Amazon States Language -> a state machine with its log, whose role calls these functions alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk.config import Target
from cdk.constructs.findings import acknowledge


def state_machine(
    scope: Construct,
    definition: Mapping[str, Any],
    *,
    calls: Sequence[lambda_.IFunction],
    target: Target,
    untraced: str,
    name: str | None = None,
    log_data: bool = False,
) -> sfn.StateMachine:
    """untraced: why it needs no X-Ray. name: only where a policy must name the machine before it is there. log_data:
    whether the log has what goes in and out of each state."""
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
    role.add_to_policy(
        iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[each.function_arn for each in calls])
    )
    machine = sfn.StateMachine(
        scope,
        "Machine",
        state_machine_name=name,
        definition_body=sfn.DefinitionBody.from_string(Stack.of(scope).to_json_string(definition)),
        role=role,
        logs=sfn.LogOptions(
            destination=logs.LogGroup(
                scope,
                "Log",
                retention=target.profile.log_retention,
                removal_policy=RemovalPolicy.RETAIN if target.retain_data else RemovalPolicy.DESTROY,
            ),
            level=sfn.LogLevel.ALL,
            include_execution_data=log_data,
        ),
    )
    acknowledge(role, "AwsSolutions-IAM5[Resource::*]", "AWS checks the delivery of logs on no resource.")
    acknowledge(machine, "AwsSolutions-SF2", untraced)
    return machine
