"""What the record function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.recommendations.policy.Policy)."""

    profiles_table: str
    rejected_bucket: str
    policy: str
    max_age_days: float
