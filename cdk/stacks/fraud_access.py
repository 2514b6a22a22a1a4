"""Who may do what in the fraud pipeline: each function's exact actions on each resource, in one place."""

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from cdk.constructs.findings import acknowledge
from cdk.stacks.platform import CuatroPlatform

if TYPE_CHECKING:
    from cdk.stacks.fraud import CuatroFraud

# BatchExecuteStatement has no permission of its own: AWS checks each statement on its table (PartiQLUpdate, ...).
_READ = ("BatchGetItem",)
_WRITE = ("PartiQLInsert", "PartiQLUpdate")


def allow_score(stack: "CuatroFraud") -> None:
    """Reads and writes the state of cards and terminals; writes rejected records."""
    role = stack.score.role
    stack.cards.allow(role, *_READ, *_WRITE)
    stack.terminals.allow(role, *_READ, *_WRITE)
    _allow_put(role, stack.rejected, "fraud/*")


def allow_act(stack: "CuatroFraud", platform: CuatroPlatform) -> None:
    """Reads and writes decisions; blocks cards; tells the bus, the alerts topic and the stream."""
    role = stack.act.role
    stack.cards.allow(role, "UpdateItem")
    stack.decisions.allow(role, *_READ, "PartiQLInsert")
    stack.stream.grant(role, "kinesis:PutRecords")
    platform.bus.grant_put_events_to(role)
    # Not grant_publish: it asks for the key as well, which AWS manages and opens to whoever may publish.
    role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[stack.alerts.topic_arn]))


def allow_api(stack: "CuatroFraud") -> None:
    """Decides one transaction like `score`; shows decisions; stores labels; blocks and unblocks cards."""
    role = stack.authorize.role
    stack.cards.allow(role, *_READ, *_WRITE, "UpdateItem")
    stack.terminals.allow(role, *_READ)
    stack.decisions.allow(role, *_READ)
    stack.labels.allow(role, "BatchWriteItem")


def allow_learn(stack: "CuatroFraud") -> None:
    """Writes labels into the terminals' risk history and beside the decisions."""
    role = stack.learn.role
    stack.terminals.allow(role, *_READ, "PartiQLUpdate")
    stack.decisions.allow(role, "PartiQLUpdate")


def _allow_put(role: iam.Role, bucket: s3.Bucket, objects: str) -> None:
    role.add_to_policy(iam.PolicyStatement(actions=["s3:PutObject"], resources=[bucket.arn_for_objects(objects)]))
    logical = Stack.of(bucket).get_logical_id(bucket.node.default_child)  # type: ignore[arg-type]
    acknowledge(
        role,
        f"AwsSolutions-IAM5[Resource::<{logical}.Arn>/{objects}]",
        "Objects are named by date and sequence number: only their prefix is known beforehand.",
    )
