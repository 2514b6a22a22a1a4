"""What the receive function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY: JSON of functions.imaging.policy. SENDERS_SECRET_ARN: of functions.imaging.senders' JSON."""

    identified_bucket: str
    studies_table: str
    instances_table: str
    quiet_queue_url: str
    pseudonym_secret_arn: str
    senders_secret_arn: str
    audit_queue_url: str
    policy: str
