"""(role, actions, bucket, prefixes) -> a grant on the objects under these prefixes, and on nothing else in it."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from cdk.constructs.findings import acknowledge


def allow_objects(role: iam.Role, actions: Sequence[str], bucket: s3.Bucket, *prefixes: str) -> None:
    """Let `role` do `actions` ("PutObject", ...) on what lies under each of `prefixes`."""
    role.add_to_policy(
        iam.PolicyStatement(
            actions=[f"s3:{action}" for action in actions],
            resources=[bucket.arn_for_objects(f"{prefix}/*") for prefix in prefixes],
        )
    )
    logical = Stack.of(bucket).get_logical_id(bucket.node.default_child)  # type: ignore[arg-type]
    for prefix in prefixes:
        acknowledge(
            role,
            f"AwsSolutions-IAM5[Resource::<{logical}.Arn>/{prefix}/*]",
            "Objects are named by date, time or job: only their prefix is known beforehand.",
        )
