"""What the API function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.fraud.decide.Policy); SHADOW_MODEL_URI may be empty."""

    cards_table: str
    terminals_table: str
    decisions_table: str
    labels_table: str
    model_uri: str
    shadow_model_uri: str
    policy: str
    max_age_days: float
