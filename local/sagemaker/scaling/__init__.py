"""Application Auto Scaling for SageMaker's endpoint variants: limits, policies, and the loop that keeps to them."""

from local.aws.service import Operation, Service
from local.sagemaker.scaling import policies, targets, tracking

OPERATIONS: dict[str, Operation] = {**targets.OPERATIONS, **policies.OPERATIONS}


def recover(service: Service) -> None:
    """Goes on with the policies that are there."""
    tracking.recover(service)


def end(service: Service) -> None:
    """Ends the loop."""
    tracking.end(service)
