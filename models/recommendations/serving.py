"""A request's body of profiles -> lists of items, as JSON or JSON Lines; what is wrong names its instance.

    {"instances": [{"items": [names, newest first], "ages": [days ago], "exclude": [names], "k": 20}, ...]}
    -> {"predictions": [{"items": [...], "scores": [...], "because": [name or null, ...]}, ...], "model_version": "..."}

JSON Lines have an instance a line and a prediction a line, as a batch transform splits and joins them. Unknown items
are skipped, ages may be left out (order alone counts then), an empty profile gets the popular items.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from cuatro.adapters.ranker import OnnxRanker
from cuatro.errors import ModelMismatch, Rejected
from cuatro.ranking import Ranked, Taken
from models.container.instances import UNREADABLE, from_json, from_lines

JSON, LINES = "application/json", "application/jsonlines"
USUAL = 20


class Instance(msgspec.Struct, forbid_unknown_fields=True):
    """A profile, and how long a list it wants."""

    items: list[str] = []
    ages: list[Annotated[float, msgspec.Meta(ge=0, le=1e6)]] | None = None
    exclude: list[str] = []
    k: Annotated[int, msgspec.Meta(ge=1, le=1000)] = USUAL


_INSTANCE = msgspec.json.Decoder(Instance)


class Lists:
    """The model, as the server wants it (models.container.shapes.Served)."""

    takes = gives = (JSON, LINES)

    def __init__(self, path: Path) -> None:
        """Load it. Raises ModelMismatch."""
        if not path.is_file():
            raise ModelMismatch(f"there is no model.onnx in {path.parent}: the archive (model.tar.gz) must hold it")
        self._ranker = OnnxRanker(path)
        self.version = self._ranker.version

    def reply(self, body: bytes, given: str, wanted: str) -> bytes:
        """Raises Rejected."""
        ranked = [self._ranked(instance) for instance in DECODE[given](body)]
        return ENCODE[wanted](ranked, self.version)

    def _ranked(self, instance: Instance) -> Ranked:
        ages = instance.ages if instance.ages is not None else [0.0] * len(instance.items)
        taken = [Taken(item, age) for item, age in zip(instance.items, ages, strict=True)]
        return self._ranker.rank("", taken, instance.exclude, instance.k)


def served(directory: Path) -> Lists:
    """What `serve` serves. Raises ModelMismatch."""
    return Lists(directory / "model.onnx")


def _checked(data: bytes | msgspec.Raw, where: str) -> Instance:
    try:
        found = _INSTANCE.decode(data)
    except UNREADABLE as error:
        raise Rejected(f"{where}: {error}") from None
    if found.ages is not None and len(found.ages) != len(found.items):
        raise Rejected(f"{where} has {len(found.items)} items and {len(found.ages)} ages")
    return found


def _told(ranked: Ranked) -> dict[str, Any]:
    return {"items": ranked.items, "scores": ranked.scores, "because": ranked.because}


DECODE: dict[str, Callable[[bytes], list[Instance]]] = {
    JSON: lambda body: from_json(body, _checked, '{"items": [...]}'),
    LINES: lambda body: from_lines(body, _checked),
}
"""Content type -> body -> instances. Raises Rejected."""

ENCODE: dict[str, Callable[[Sequence[Ranked], str], bytes]] = {
    JSON: lambda several, version: msgspec.json.encode(
        {"predictions": [_told(ranked) for ranked in several], "model_version": version}
    ),
    LINES: lambda several, _: b"".join(msgspec.json.encode(_told(ranked)) + b"\n" for ranked in several),
}
"""Accept -> (lists, version) -> body."""
