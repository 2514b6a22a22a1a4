"""What a poller reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """SECRET_ARN is empty for a network without credentials; POLICY is JSON (functions.sentiment.policy).

    ALLOW_PRIVATE_HOSTS is "1" where feeds and instances may be servers of one's own, on addresses that are not public.
    """

    network: str
    brands_table: str
    cursors_table: str
    posts_delivery: str
    rejected_bucket: str
    secret_arn: str
    pseudonym_secret_arn: str
    policy: str
    allow_private_hosts: str
