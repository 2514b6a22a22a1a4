"""(service, role) -> boto3 clients that act as the role, through our own gateway: IAM decides each of their calls."""

import threading
from collections.abc import Callable
from typing import Any

from local.sagemaker.service import Service

# A Lambda function runs for up to 15 minutes, and is not to be invoked twice.
_CONFIGS: dict[str, dict[str, Any]] = {"lambda": {"read_timeout": 920, "retries": {"total_max_attempts": 1}}}
_lock = threading.Lock()
# boto3 reads the description of SageMaker for each new client: one of each role is enough.
_clients: dict[tuple[str, str, str], Any] = {}


def clients(service: Service, role_arn: str) -> Callable[[str], Any]:
    """name -> client of the role. Calling it raises ValidationException when SageMaker may not assume the role."""

    def client(name: str) -> Any:
        keys = service.credentials(role_arn)
        with _lock:
            which = (service.endpoint, keys["AWS_ACCESS_KEY_ID"], name)
            if which not in _clients:
                _clients[which] = service.client(name, keys, **_CONFIGS.get(name, {}))
            return _clients[which]

    return client
