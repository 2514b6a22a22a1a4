"""What the normalise function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.imaging.policy)."""

    deidentified_bucket: str
    audit_queue_url: str
    policy: str
