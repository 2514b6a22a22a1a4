"""A network -> its poller, which asks it every few minutes, and its secret, which nobody else reads."""

from typing import TYPE_CHECKING, NamedTuple

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_secretsmanager as secrets

from cdk.constructs.kept_secret import written_secret
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


def network_secrets(stack: "CuatroSentiment") -> dict[str, secrets.Secret]:
    """One of each network that has any, an empty JSON object until somebody writes credentials into it."""
    return {
        network: written_secret(
            stack, f"{name}Secret", purpose=f"Credentials of {name}: see docs/sentiment.md", target=stack.target,
            unrotated="The network gives out the credentials; AWS cannot rotate them.",
        )
        for network, (name, _, has_secret) in NETWORKS.items()
        if has_secret
    }  # fmt: skip


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
