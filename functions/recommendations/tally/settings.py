"""What the tally function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The deliveries are names of Firehose streams into the lake; POLICY is JSON (functions.recommendations.policy)."""

    shelves_table: str
    lists_delivery: str
    feedback_delivery: str
    policy: str
