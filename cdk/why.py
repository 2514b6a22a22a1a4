"""A field of the configuration -> why it differs between targets, and where in a template that shows."""


class Why:
    """`shows`: patterns of Type.path.to.property, as docs/parity.md lists them."""

    def __init__(self, reason: str, *shows: str) -> None:
        self.reason = reason
        self.shows = shows
