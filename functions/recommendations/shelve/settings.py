"""What the shelve function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.recommendations.policy)."""

    shelves_table: str
    policy: str
