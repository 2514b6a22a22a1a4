"""What an operation cannot do -> an error as Personalize spells it."""

# ruff: noqa: N818 - the names are AWS's
from local.aws.errors import AwsError


class InvalidInput(AwsError):
    """The request, or what it names, breaks a rule."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidInputException", message)


class NotFound(AwsError):
    """What the request names is not there."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceNotFoundException", message)


class AlreadyExists(AwsError):
    """The name is taken."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceAlreadyExistsException", message)


class InUse(AwsError):
    """It is being made, or another resource needs it."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceInUseException", message)


class InvalidNextToken(AwsError):
    """The token was not given out for this question."""

    def __init__(self) -> None:
        super().__init__("InvalidNextTokenException", "The provided next token is not valid.")


class CreationStoppedError(Exception):
    """Somebody asked for its end."""


class CreationFailedError(Exception):
    """str() is the resource's failureReason."""
