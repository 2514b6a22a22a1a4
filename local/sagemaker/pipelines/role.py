"""(service, role) -> boto3 clients that act as the role, through our own gateway: IAM decides each of their calls."""

from collections.abc import Callable
from typing import Any

from local.aws.service import Service

# A Lambda function runs for up to 15 minutes, and is not to be invoked twice.
_CONFIGS: dict[str, dict[str, Any]] = {"lambda": {"read_timeout": 920, "retries": {"total_max_attempts": 1}}}


def clients(service: Service, role_arn: str) -> Callable[[str], Any]:
    """name -> client of the role. Calling it raises ValidationException when SageMaker may not assume the role."""
    return lambda name: service.client(name, service.credentials(role_arn), **_CONFIGS.get(name, {}))
