"""What the learn function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Where labels go to: tables, and the name of the lake's delivery stream."""

    terminals_table: str
    decisions_table: str
    labels_delivery: str
