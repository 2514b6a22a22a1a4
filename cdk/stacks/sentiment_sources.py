"""A network -> its poller, which asks it every few minutes, and its secret, which nobody else reads."""

from typing import TYPE_CHECKING, NamedTuple

from aws_cdk import Duration, RemovalPolicy, SecretValue
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secrets

from cdk.constructs.findings import acknowledge
from cdk.constructs.suite_function import SuiteFunction

if TYPE_CHECKING:
    from cdk.stacks.sentiment import CuatroSentiment


class Network(NamedTuple):
    """name: as constructs and outputs have it. secret: whether it gives more to those whom it knows."""

    name: str
    minutes: int
    secret: bool = True


# As often as their limits for one account allow with some hundred brands, and as new posts are worth; X counts reads.
NETWORKS = {
    "mastodon": Network("Mastodon", 2),
    "bluesky": Network("Bluesky", 1),
    "reddit": Network("Reddit", 2),
    "x": Network("X", 5),
    "rss": Network("Rss", 5, secret=False),
}
_LENGTH = 48


def kept_secret(stack: "CuatroSentiment", name: str, purpose: str, *, template: str | None, key: str) -> secrets.Secret:
    """Made up by AWS: no template, log or person has seen it. template, key: JSON, and the field that is made up."""
    made = secrets.Secret(
        stack, name, description=purpose, removal_policy=_removal(stack),
        generate_secret_string=secrets.SecretStringGenerator(
            secret_string_template=template, generate_string_key=key if template else None,
            exclude_punctuation=True, password_length=_LENGTH,
        ),
    )  # fmt: skip
    acknowledge(made, "AwsSolutions-SMG4", f"{purpose}: both ends must change together, so a person rotates it.")
    return made


def network_secrets(stack: "CuatroSentiment") -> dict[str, secrets.Secret]:
    """One of each network that has any, an empty JSON object until somebody writes credentials into it."""
    made = {}
    for network, (name, _, has_secret) in NETWORKS.items():
        if has_secret:
            made[network] = secrets.Secret(
                stack, f"{name}Secret", description=f"Credentials of {name}: see docs/sentiment.md",
                secret_string_value=SecretValue.unsafe_plain_text("{}"), removal_policy=_removal(stack),
            )  # fmt: skip
            acknowledge(
                made[network], "AwsSolutions-SMG4", "The network gives out the credentials; AWS cannot rotate them."
            )
    return made


def allow_secret(function: SuiteFunction, secret: secrets.Secret) -> None:
    """Grant reading one secret; its key is the one that AWS manages, which needs no grant."""
    function.role.add_to_policy(
        iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret.secret_arn])
    )


def pollers(stack: "CuatroSentiment") -> dict[str, SuiteFunction]:
    """A function for each network, run by a rule of its own: one that fails or waits holds up no other."""
    made = {}
    for network, (name, minutes, _) in NETWORKS.items():
        poll = stack.function(
            f"Poll{name}", "poll", f"Collects what {name} says of the brands", stack.target.profile.job_memory_mb,
            scores=False, rarely=True, more=[stack.collect],
            settings={
                "NETWORK": network, "BRANDS_TABLE": stack.brands.name, "CURSORS_TABLE": stack.cursors.name,
                "POSTS_DELIVERY": stack.posted.name, "REJECTED_BUCKET": stack.rejected.bucket_name,
                "SECRET_ARN": stack.secrets[network].secret_arn if network in stack.secrets else "",
                "PSEUDONYM_SECRET_ARN": stack.pseudonyms.secret_arn, "POLICY": stack.policy.as_json(),
                "ALLOW_PRIVATE_HOSTS": "1" if stack.target.private_hosts else "",
            },
        )  # fmt: skip
        events.Rule(
            stack, f"Poll{name}Schedule", schedule=events.Schedule.rate(Duration.minutes(minutes)),
            enabled=stack.target.polls, targets=[targets.LambdaFunction(poll.function)],
        )  # fmt: skip
        made[network] = poll
    return made


def _removal(stack: "CuatroSentiment") -> RemovalPolicy:
    return RemovalPolicy.RETAIN if stack.target.retain_data else RemovalPolicy.DESTROY
