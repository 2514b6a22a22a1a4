"""What the API of senders reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY: JSON of functions.imaging.policy."""

    identified_bucket: str
    studies_table: str
    instances_table: str
    pseudonym_secret_arn: str
    audit_queue_url: str
    policy: str
