"""Who may do what in the fraud pipeline: each function's exact actions on each resource, in one place."""

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from cdk.constructs.objects import allow_objects
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
    allow_objects(role, ["PutObject"], stack.rejected, "fraud")


def allow_act(stack: "CuatroFraud", platform: CuatroPlatform) -> None:
    """Reads and writes decisions, also to the lake; blocks cards; tells the bus, the alerts topic and the stream."""
    role = stack.act.role
    stack.decided.allow_put(role)
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
    """Writes labels into the terminals' risk history, beside the decisions and to the lake."""
    role = stack.learn.role
    stack.learned.allow_put(role)
    stack.terminals.allow(role, *_READ, "PartiQLUpdate")
    stack.decisions.allow(role, "PartiQLUpdate")
