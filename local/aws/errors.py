"""What an operation cannot do -> an error as AWS spells it. Operations raise these; api.py puts them on the wire."""

# ruff: noqa: N818 - the names are AWS's
from collections.abc import Mapping
from typing import Any


class AwsError(Exception):
    """An error answer: AWS's code, message, HTTP status, and members that this error's shape has besides."""

    def __init__(self, code: str, message: str, status: int = 400, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = dict(members or {})


class ValidationException(AwsError):
    """The request breaks a rule. The runtime services spell it ValidationError; api.py sees to that."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class ResourceNotFound(AwsError):
    """What the request names is not there."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceNotFound", message)


class ResourceInUse(AwsError):
    """The name is taken, or the resource is needed elsewhere."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceInUse", message)


class ResourceLimitExceeded(AwsError):
    """A quota is used up."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceLimitExceeded", message)


class ConflictException(AwsError):
    """The resource is in a state that does not allow it."""

    def __init__(self, message: str) -> None:
        super().__init__("ConflictException", message)


class AccessDenied(AwsError):
    """IAM does not allow it."""

    def __init__(self, message: str) -> None:
        super().__init__("AccessDeniedException", message)
