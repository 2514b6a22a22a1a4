"""What the API function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """POLICY is JSON (functions.sentiment.policy). HOOK_SECRET_ARN: of {"<hook>": "<its key>"}; may be empty."""

    posts_delivery: str
    posts_table: str
    brands_table: str
    cursors_table: str
    aggregates_table: str
    alerts_table: str
    rejected_bucket: str
    hook_secret_arn: str
    pseudonym_secret_arn: str
    policy: str
