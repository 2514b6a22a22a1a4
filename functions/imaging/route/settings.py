"""What the route function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """DEIDENTIFIED_BUCKET is named to the reviewers' queue; POLICY is JSON (functions.imaging.policy)."""

    deidentified_bucket: str
    studies_table: str
    audit_queue_url: str
    policy: str
