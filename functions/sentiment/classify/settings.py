"""What the classify function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.sentiment.policy); SHADOW_MODEL_URI may be empty.

    RAW_DELIVERY takes posts as they were collected. BUDGET_TABLE counts what second opinions cost.
    """

    posts_table: str
    raw_delivery: str
    rejected_bucket: str
    model_uri: str
    shadow_model_uri: str
    budget_table: str
    policy: str
