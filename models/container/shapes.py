"""The pipeline's name and a directory with its model -> what the server needs of any model: bodies in, bodies out.

models.<CUATRO_MODEL>.serving has served(directory) -> Served. A pipeline without that module has a model that takes a
matrix and gives scores (models.container.bodies).
"""

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cuatro.errors import ModelMismatch
from models.container.bodies import Scores

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"
"""What a caller most often asks for without naming it exactly."""


class Served(Protocol):
    """A loaded model; many threads call it at once. takes, gives: content types, the first of `gives` is the usual."""

    @property
    def version(self) -> str:
        """Of the model; may be empty."""
        ...

    @property
    def takes(self) -> Sequence[str]:
        """Content types of requests."""
        ...

    @property
    def gives(self) -> Sequence[str]:
        """Content types of answers."""
        ...

    def reply(self, body: bytes, given: str, wanted: str) -> bytes:
        """The answer, as `wanted`, to a body of type `given`. Raises Rejected, which names what is wrong where."""
        ...


def served(pipeline: str, directory: Path) -> Served:
    """Raises ModelMismatch, which says why it cannot be served."""
    if pipeline and not pipeline.isidentifier():
        raise ModelMismatch(f"CUATRO_MODEL={pipeline!r} is no pipeline")
    name = f"models.{pipeline}.serving"
    if pipeline and importlib.util.find_spec(f"models.{pipeline}") and importlib.util.find_spec(name):
        found: Served = importlib.import_module(name).served(directory)
        return found
    return Scores(directory)


def chosen(accept: str, gives: Sequence[str]) -> str | None:
    """The first type of an Accept header that there is; the usual one without a header."""
    usual = gives[0]
    anything = {"": usual, "*/*": usual, "application/*": usual, "application/x-jsonlines": LINES, "text/*": CSV}
    for part in accept.split(","):
        kind = plain(part)
        if (found := kind if kind in gives else anything.get(kind)) in gives:
            return found
    return None


def plain(header: str) -> str:
    """A content type without its parameters."""
    return header.partition(";")[0].strip().lower()
