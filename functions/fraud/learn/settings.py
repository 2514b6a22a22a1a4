"""What the learn function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Tables that labels go to."""

    terminals_table: str
    decisions_table: str
