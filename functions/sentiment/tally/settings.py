"""What the tally function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.sentiment.policy); SEARCH_ENDPOINT is empty where nothing is searched."""

    aggregates_table: str
    bus_name: str
    labels_delivery: str
    search_endpoint: str
    policy: str
