"""The models table: which model is live, which roll-out runs, as items that people can read too.

A roll-out's item has a number `n` that every change raises, on the condition that nobody else did: two who act at once
cannot both believe that they were first.
"""

from typing import Any, Literal, TypeVar

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import change, insertion
from cuatro.errors import Unavailable

SHIPPED = "shipped"
"""In place of a package's ARN: the model that came with the deployment."""

Phase = Literal["begun", "shadow", "canary", "finished", "rolling_back", "rolled_back"]
T = TypeVar("T")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A version and where its file is. since: when it went live, RFC 3339. layer, uri: how functions have it.

    uri and other_uri: MODEL_URI, and where the layer holds the model that it took the place of.
    """

    version: str
    package_arn: str = SHIPPED
    artefact: str
    sha256: str = ""
    since: str = ""
    layer: str = ""
    uri: str = ""
    other_uri: str = ""


class Live(Model, frozen=True, kw_only=True):
    """The model that decides, and the one before it."""

    previous: Model | None = None


class RollOut(msgspec.Struct, frozen=True, kw_only=True):
    """The roll-out that runs, or the last one. Times in unix seconds, but `began` (RFC 3339).

    stable: function -> version to go back to. step: of the plan's weights, counted from 1. checked: the last step that
    was found good. ringing: alarms that rang when it began, which say nothing about it.
    """

    version: str
    package_arn: str
    artefact: str
    sha256: str
    phase: Phase
    weight: float = 0.0
    began: str
    began_at: float
    execution: str = ""
    reason: str = ""
    champion: Model
    layer: str = ""
    stable: dict[str, str]
    shadow_since: float = 0.0
    step: int = 0
    checked: int = 0
    ringing: list[str] = []
    report: str = ""
    n: int = 1

    @property
    def active(self) -> bool:
        """Is it under way?"""
        return self.phase not in {"finished", "rolled_back"}


class Models:
    """The table, and the model that is live when nothing was ever promoted."""

    def __init__(self, dynamo: Dynamo, table: str, shipped: Model) -> None:
        self._dynamo, self._table, self._shipped = dynamo, table, shipped

    def live(self) -> Live:
        """The promoted model, else the shipped one. Raises Unavailable."""
        item = self._item("live")
        return msgspec.convert(item, Live) if item else Live(**_fields(self._shipped))

    def roll_out(self) -> RollOut | None:
        """Raises Unavailable."""
        item = self._item("rollout")
        return msgspec.convert(item, RollOut) if item else None

    def put_live(self, live: Live) -> None:
        """Raises Unavailable."""
        values = _fields(live)
        (written,) = self._dynamo.write([change(self._table, values, {"name": "live"})])
        if written.status == "conflict":  # there is none yet
            (written,) = self._dynamo.write([insertion(self._table, {"name": "live", **values})])
        if written.status != "done":
            raise Unavailable(f"the live model could not be stored: {written.code or 'somebody else was first'}")

    def ship(self, since: str) -> None:
        """Let the shipped model be the live one again. Raises Unavailable."""
        self.put_live(Live(**{**_fields(self._shipped), "since": since}))

    def put(self, before: RollOut | None, after: RollOut) -> RollOut:
        """`after` in place of `before`, as stored. Raises Unavailable when somebody else was first."""
        after = msgspec.structs.replace(after, n=before.n + 1 if before else 1)
        values = _fields(after)
        if before:
            statement = change(self._table, values, {"name": "rollout", "n": before.n})
        else:
            statement = insertion(self._table, {"name": "rollout", **values})
        (written,) = self._dynamo.write([statement])
        if written.status != "done":
            raise Unavailable(f"the roll-out could not be stored: {written.code or 'somebody else changed it'}")
        return after

    def _item(self, name: str) -> Item | None:
        found = self._dynamo.read({self._table: Keys("name", [name])})[self._table]
        if found.unread:
            raise Unavailable(f"{name} could not be read from {self._table}")
        item = found.items.get(name)
        return {key: value for key, value in item.items() if key != "name"} if item else None


def _fields(struct: msgspec.Struct) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(struct)
    return fields
