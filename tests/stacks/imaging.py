"""Imaging's stack in an assembly -> its parts: resources by the first words of their id, keys by their name."""

from typing import Any

from tests.stacks.synthesis import Assembly, Resource, references

STACK = "CuatroImaging"
FUNCTIONS = (
    "Authorize", "Api", "Receive", "Begin", "Validate", "Deidentify", "Normalise", "Infer", "Route", "Report",
    "Reidentify", "Deliver", "Conclude", "Erase", "Audit", "ReviewAsk", "ReviewReviewers", "ReviewRemind",
)  # fmt: skip


def found(suite: Assembly, kind: str, begins: str = "") -> list[Resource]:
    return [each for each in suite.resources(kind, within=[STACK]) if each.id.startswith(begins)]


def only(suite: Assembly, kind: str, begins: str = "") -> Resource:
    (one,) = found(suite, kind, begins)
    return one


def key_of(value: Any) -> str | None:
    """Name of the key that `value` refers to."""
    return references(value)[0].split("Key")[0] if value else None
