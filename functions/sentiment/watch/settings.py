"""What the watch function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.sentiment.policy)."""

    aggregates_table: str
    alerts_table: str
    brands_table: str
    bus_name: str
    alert_topic_arn: str
    policy: str
