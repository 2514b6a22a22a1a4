"""What the act function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.fraud.decide.Policy); SHADOW_MODEL_URI may be empty."""

    cards_table: str
    decisions_table: str
    stream_name: str
    bus_name: str
    alerts_topic_arn: str
    model_uri: str
    shadow_model_uri: str
    policy: str
    decisions_delivery: str
