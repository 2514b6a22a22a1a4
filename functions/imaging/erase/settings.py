"""What the erase function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """PSEUDONYM_SECRET_ARN: the key that names a patient, whom only the caller knows by another name."""

    identified_bucket: str
    deidentified_bucket: str
    studies_table: str
    instances_table: str
    reviews_table: str
    pseudonym_secret_arn: str
    audit_queue_url: str
