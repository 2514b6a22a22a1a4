"""What the audit function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """ANCHOR_EVERY: entries after which the chain is anchored; the clock anchors what is left over."""

    ledger_table: str
    ledger_bucket: str
    anchor_every: int
