"""What the begin function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """READING_MACHINE_ARN: the state machine. POLICY: JSON of functions.imaging.policy."""

    studies_table: str
    instances_table: str
    quiet_queue_url: str
    reading_machine_arn: str
    audit_queue_url: str
    policy: str
