"""A request as the networks see it, and what they answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Request:
    """query: of the URL. base: scheme, host and port that it came to."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    base: str

    def one(self, name: str, default: str = "") -> str:
        """A parameter's first value."""
        return self.query.get(name, [default])[0]

    def number(self, name: str, default: int) -> int:
        """A parameter that is a whole number; -1 for what is none."""
        given = self.one(name, str(default))
        return int(given) if given.isdigit() else -1

    @property
    def bearer(self) -> str:
        """The token, "" for none."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind.lower() == "bearer" else ""

    @property
    def form(self) -> dict[str, str]:
        """A body of a form."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Response:
    """items: where in `body` the posts are, for faults that lose or repeat some; None: nowhere."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    items: str | None = None

    def data(self) -> bytes:
        """The body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False).encode("utf-8", "surrogatepass")
