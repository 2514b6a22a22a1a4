"""What the reidentify function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.imaging.policy)."""

    identified_bucket: str
    deidentified_bucket: str
    studies_table: str
    pseudonym_secret_arn: str
    audit_queue_url: str
    policy: str
