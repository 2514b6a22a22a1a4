"""Imaging's stack in an assembly -> its parts: resources by the first words of their id, keys by their name."""

from typing import Any

from tests.stacks.synthesis import Assembly, Resource, references

STACK = "CuatroImaging"
FUNCTIONS = (
    "Authorize", "Api", "Receive", "Begin", "Validate", "Deidentify", "Normalise", "Infer", "Route", "Report",
    "Reidentify", "Deliver", "Conclude", "Erase", "Audit", "ReviewAsk", "ReviewReviewers", "ReviewRemind",
)  # fmt: skip

AGENT = "arn:aws:datasync:eu-west-1:123456789012:agent/agent-0123456789abcdef0"
FLOW = "arn:aws:sagemaker:us-east-1:123456789012:flow-definition/readers"
# Options together, for each assembly takes seconds; -c retraining=off, which has nothing to do with them, saves some.
FEW = {"retraining": "off", "object_lock": "governance:30", "datasync": "on", "review": f"a2i:{FLOW}"}
MANY = {
    "retraining": "off", "object_lock": "compliance:3650", "datasync": AGENT,
    "datasync_source": "nfs://files.hospital.example/export/dicom",
}  # fmt: skip


def found(suite: Assembly, kind: str, begins: str = "") -> list[Resource]:
    return [each for each in suite.resources(kind, within=[STACK]) if each.id.startswith(begins)]


def only(suite: Assembly, kind: str, begins: str = "") -> Resource:
    (one,) = found(suite, kind, begins)
    return one


def key_of(value: Any) -> str | None:
    """Name of the key that `value` refers to."""
    return references(value)[0].split("Key")[0] if value else None
