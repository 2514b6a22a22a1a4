"""What the API function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.recommendations.policy.Policy); SHADOW_MODEL_URI may be empty."""

    profiles_table: str
    items_table: str
    shelves_table: str
    lists_table: str
    stream_name: str
    model_uri: str
    shadow_model_uri: str
    policy: str
    max_age_days: float
