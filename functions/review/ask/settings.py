"""What the ask function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """FLOW_DEFINITION_ARN: of Amazon A2I, whose workers then give the reads; empty: the suite's own queue."""

    reviews_table: str
    audit_queue_url: str
    flow_definition_arn: str
