"""What the deidentify function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """TEXT_MODEL_URI: the text detector's file. POLICY is JSON (functions.imaging.policy)."""

    identified_bucket: str
    deidentified_bucket: str
    instances_table: str
    pseudonym_secret_arn: str
    text_model_uri: str
    audit_queue_url: str
    policy: str
