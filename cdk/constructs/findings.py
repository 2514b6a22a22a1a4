"""A finding of cdk-nag that we live with -> its reason, written beside the construct that it is about."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """Accept `finding` (a rule, or a rule with its subject in brackets) on `construct` and everything below it."""
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))
