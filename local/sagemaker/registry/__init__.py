"""The model registry: groups, their versions, approval and life cycle; every change is told to EventBridge."""

from local.sagemaker.registry import groups, packages
from local.sagemaker.service import Operation

OPERATIONS: dict[str, Operation] = {**groups.OPERATIONS, **packages.OPERATIONS}
