"""What the authorizer reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """SENDERS_SECRET_ARN: of functions.imaging.senders' JSON. POLICY: JSON of functions.imaging.policy."""

    senders_secret_arn: str
    audit_queue_url: str
    policy: str
