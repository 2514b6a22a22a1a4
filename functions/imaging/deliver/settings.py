"""What the deliver function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """ALLOW_PRIVATE_HOSTS is "1" where a sender's server may have an address that is not public, as behind a VPN.

    POLICY is JSON (functions.imaging.policy).
    """

    identified_bucket: str
    studies_table: str
    senders_secret_arn: str
    allow_private_hosts: str
    audit_queue_url: str
    policy: str
