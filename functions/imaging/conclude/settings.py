"""What the conclude function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.imaging.policy)."""

    studies_table: str
    instances_table: str
    bus_name: str
    audit_queue_url: str
    policy: str
