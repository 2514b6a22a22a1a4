"""What the score function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.fraud.decide.Policy); SHADOW_MODEL_PATH may be empty."""

    cards_table: str
    terminals_table: str
    rejected_bucket: str
    model_path: str
    shadow_model_path: str
    policy: str
    max_age_days: float
