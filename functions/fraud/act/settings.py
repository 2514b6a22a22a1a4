"""What the act function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.fraud.decide.Policy)."""

    cards_table: str
    decisions_table: str
    stream_name: str
    bus_name: str
    alerts_topic_arn: str
    model_path: str
    policy: str
