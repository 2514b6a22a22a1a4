"""What the report function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.imaging.policy)."""

    deidentified_bucket: str
    studies_table: str
    audit_queue_url: str
    policy: str
