"""What the validate function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.imaging.policy)."""

    identified_bucket: str
    instances_table: str
    audit_queue_url: str
    policy: str
