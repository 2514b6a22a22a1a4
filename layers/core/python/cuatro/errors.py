"""What can go wrong, where a caller must act differently: bad input, a wrong model, a service that is away, a no."""


class Rejected(Exception):  # noqa: N818 - a verdict, not a fault
    """Bad input: count it, keep it with its reason, never retry it."""

    def __init__(self, reason: str, field: str | None = None, code: str = "invalid") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field
        self.code = code


class Conflict(Rejected):
    """The request is good, but what it is about is not in a state for it: another one was first, or it is over."""


class Unavailable(Exception):  # noqa: N818
    """A service did not answer, or not in time, or throttled us after all attempts: retry later."""


class ModelMismatch(Exception):  # noqa: N818
    """The model is not the one that this code was written for, or its file is damaged."""


class Refused(Exception):  # noqa: N818
    """A service understood the call and refused it: a missing grant, a wrong name, a condition that does not hold."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.code = code
