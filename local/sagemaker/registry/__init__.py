"""The model registry: groups, their versions, approval and life cycle; every change is told to EventBridge."""

from local.aws.service import Operation
from local.sagemaker.registry import groups, packages

OPERATIONS: dict[str, Operation] = {**groups.OPERATIONS, **packages.OPERATIONS}
