"""What went wrong with the platform, and what to do next: shown as such by the command line."""


class PlatformError(Exception):
    """The platform cannot do it. `advice` is the user's next step; `log` ends with the reason, where there is one."""

    def __init__(self, message: str, advice: str, log: str = "") -> None:
        super().__init__(message)
        self.advice = advice
        self.log = log
