"""Who may do what in the sentiment pipeline: each function's exact actions on each resource, in one place."""

from typing import TYPE_CHECKING

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam

from cdk.constructs.findings import acknowledge
from cdk.constructs.kept_secret import allow_secret
from cdk.constructs.objects import allow_objects
from cdk.constructs.suite_function import SuiteFunction
from cdk.constructs.wildcards import everywhere
from cdk.stacks.platform import CuatroPlatform
from cdk.stacks.sentiment_search import allow_indexing

if TYPE_CHECKING:
    from cdk.stacks.sentiment import CuatroSentiment

# BatchExecuteStatement has no permission of its own: AWS checks each statement on its table (PartiQLUpdate, ...).
_READ = ("BatchGetItem",)
_WRITE = ("PartiQLInsert", "PartiQLUpdate")


def allow_poll(stack: "CuatroSentiment", network: str, poll: SuiteFunction) -> None:
    """Reads brands, keeps its place in the network, sends posts on; knows its own network's secret alone."""
    _collects(stack, poll)
    stack.cursors.allow(poll.role, *_READ, *_WRITE)
    if network in stack.secrets:
        allow_secret(poll, stack.secrets[network])


def allow_api(stack: "CuatroSentiment") -> None:
    """Takes posts, brands and labels; shows what was counted."""
    role = stack.answer.role
    _collects(stack, stack.answer)
    allow_secret(stack.answer, stack.hooks)
    stack.brands.allow(role, *_READ, *_WRITE, "DeleteItem")
    stack.cursors.allow(role, "Scan", "DeleteItem")
    stack.posts.allow(role, *_READ, "PartiQLUpdate")
    stack.posts.allow_query(role)
    stack.aggregates.allow(role, *_READ)
    stack.alerts.allow(role, *_READ)


def allow_classify(stack: "CuatroSentiment") -> None:
    """Writes posts, as collected to the lake too, and those that are no posts aside; asks whoever classifies."""
    role = stack.classify.role
    stack.posts.allow(role, *_READ, *_WRITE)
    stack.kept.raw.allow_put(role)
    allow_objects(role, ["PutObject"], stack.rejected, "sentiment")
    _allow_backend(stack, role)
    if stack.policy.second_opinion:
        model = stack.policy.second_opinion.partition(":")[2]
        arn = model if model.startswith("arn:") else _arn(stack, "bedrock", "foundation-model", model, account="")
        role.add_to_policy(iam.PolicyStatement(actions=["bedrock:InvokeModel"], resources=[arn]))
        stack.cursors.allow(role, "UpdateItem")  # the month's budget


def allow_tally(stack: "CuatroSentiment", platform: CuatroPlatform) -> None:
    """Counts; tells the bus; sends labels to the lake, and posts to the search where there is one."""
    role = stack.tally.role
    stack.aggregates.allow(role, *_READ, *_WRITE)
    stack.kept.labels.allow_put(role)
    platform.bus.grant_put_events_to(role)
    if stack.search:
        allow_indexing(stack.search, stack.tally)


def allow_watch(stack: "CuatroSentiment", platform: CuatroPlatform) -> None:
    """Compares what was counted with what is usual; tells people and the bus."""
    role = stack.watch.role
    stack.aggregates.allow(role, *_READ)
    stack.alerts.allow(role, *_READ, *_WRITE)
    stack.brands.allow(role, "Scan")
    platform.bus.grant_put_events_to(role)
    # Not grant_publish: it asks for the key as well, which AWS manages and opens to whoever may publish.
    role.add_to_policy(iam.PolicyStatement(actions=["sns:Publish"], resources=[stack.told.topic_arn]))


def _collects(stack: "CuatroSentiment", function: SuiteFunction) -> None:
    stack.brands.allow(function.role, "Scan")
    stack.posted.allow_put(function.role)
    allow_secret(function, stack.pseudonyms)
    allow_objects(function.role, ["PutObject"], stack.rejected, "sentiment")


def _allow_backend(stack: "CuatroSentiment", role: iam.Role) -> None:
    """Comprehend, or an endpoint that somebody else made; the model's own is granted where it is made."""
    kind, _, name = stack.policy.backend.partition(":")
    if kind == "comprehend":
        role.add_to_policy(everywhere(["comprehend:BatchDetectSentiment"]))
        acknowledge(role, "AwsSolutions-IAM5[Resource::*]", "AWS checks the detection of sentiment on no resource.")
    elif name and stack.model.endpoint is None:
        arn = _arn(stack, "sagemaker", "endpoint", name.lower())
        role.add_to_policy(iam.PolicyStatement(actions=["sagemaker:InvokeEndpoint"], resources=[arn]))


def _arn(stack: "CuatroSentiment", service: str, kind: str, name: str, account: str | None = None) -> str:
    return Stack.of(stack).format_arn(
        service=service, resource=kind, resource_name=name, account=account,
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )  # fmt: skip
