"""What the score function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.fraud.decide.Policy); SHADOW_MODEL_URI may be empty."""

    cards_table: str
    terminals_table: str
    rejected_bucket: str
    model_uri: str
    shadow_model_uri: str
    policy: str
    max_age_days: float
