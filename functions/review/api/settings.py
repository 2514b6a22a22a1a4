"""What the API function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """TRUSTED_BACKENDS: ARNs of roles and users, with commas between, that may name the reviewer; "*": all callers may.

    LINK_S: seconds for which the link to an attachment is good.
    """

    reviews_table: str
    audit_queue_url: str
    trusted_backends: str
    link_s: int
