"""What the remind function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """FLOW_DEFINITION_ARN as for ask: whose answers to collect."""

    reviews_table: str
    audit_queue_url: str
    review_topic_arn: str
    flow_definition_arn: str
