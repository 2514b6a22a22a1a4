"""How far a place is read and how it fares: a row of the cursors' table <-> State.

Two pollers may meet (a slow run and the next one, or `cuatro poll`): a row is written on condition that it is as it was
read, and who comes second lets go. What both have sent is one post to the function that classifies.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.adapters.partiql import change, insertion
from cuatro.errors import Unavailable
from cuatro.events import Network
from functions.sentiment.sources.source import Place
from functions.sentiment.sources.window import digest

FIRST_WAIT_S, LONGEST_WAIT_S = 60, 3600
"""After a failure, doubled with each further one: a place that is back is read within the hour."""
QUIET_S = 240
"""A poll that found nothing new is told at most so often."""
LASTS_DAYS = 90

Status = Literal["new", "ok", "limited", "denied", "unavailable", "rejected", "failed"]


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Times in unix seconds; 0: never. cursor: the source's own text (last id, window, ETag); None: never read.

    posts: so many were sent on from here. failures: polls that failed since the last good one.
    remaining, reset_at: the network's allowance, as it told last.
    """

    network: Network
    brand: str
    name: str
    cursor: str | None = None
    status: Status = "new"
    polled_at: float = 0
    last_ok: float = 0
    last_error: str = ""
    last_error_at: float = 0
    failures: int = 0
    backoff_until: float = 0
    remaining: int | None = None
    reset_at: float | None = None
    posts: int = 0

    def failed(self, status: Status, why: str, now: float) -> "State":
        """Another poll failed: wait twice as long as after the one before."""
        wait = min(FIRST_WAIT_S * 2 ** min(self.failures, 10), LONGEST_WAIT_S)
        return msgspec.structs.replace(
            self, status=status, polled_at=now, last_error=why[:500], last_error_at=now, failures=self.failures + 1,
            backoff_until=now + wait,
        )  # fmt: skip

    def limited(self, until: float, why: str, now: float) -> "State":
        """The network wants us to wait: that is no failure."""
        return msgspec.structs.replace(
            self, status="limited", polled_at=now, last_error=why[:500], last_error_at=now, backoff_until=until
        )


class Row(msgspec.Struct, frozen=True):
    """A state as it was read. n: how often it was written; 0: not yet."""

    key: str
    n: int
    state: State


def key_of(network: str, brand: str, place: Place) -> str:
    """network#brand#hash of the place's name."""
    return f"{network}#{brand}#{digest(place.name)}"


def read(network: Network, places: Iterable[tuple[str, Place]], table: str, dynamo: Dynamo) -> dict[str, Row]:
    """Rows by key, of (brand, place) each; a damaged one begins anew. Raises Unavailable."""
    wanted = {key_of(network, brand, place): (brand, place) for brand, place in places}
    found = dynamo.read({table: Keys("source", wanted)})[table]
    if found.unread:
        raise Unavailable(f"{len(found.unread)} cursors could not be read")
    return {
        key: Row(
            key,
            int(found.items.get(key, {}).get("n", 0)),
            _state(found.items.get(key)) or State(network=network, brand=brand, name=place.name),
        )
        for key, (brand, place) in wanted.items()
    }


def save(row: Row, state: State, table: str, dynamo: Dynamo, now: float) -> Row | None:
    """The row as it is now; None when somebody else has written it since. Raises Unavailable."""
    values: dict[str, object] = {
        "n": row.n + 1, "p": msgspec.json.encode(state).decode(), "x": int(now) + LASTS_DAYS * 86_400
    }  # fmt: skip
    if row.n:
        statement = change(table, values, {"source": row.key, "n": row.n})
    else:
        statement = insertion(table, {"source": row.key, **values})
    written = dynamo.write([statement])[0]
    if written.status == "failed":
        raise Unavailable(f"cursor {row.key}: {written.code}")
    return Row(row.key, row.n + 1, state) if written.status == "done" else None


def worth_saving(before: State, after: State) -> bool:
    """Does anybody need to know? Most polls find nothing, and to write that each minute would be most of the bill."""
    same = (before.cursor, before.status, before.backoff_until) == (after.cursor, after.status, after.backoff_until)
    return not same or after.polled_at - before.polled_at >= QUIET_S


def states(rows: Iterable[Mapping[str, object]]) -> list[State]:
    """Of a whole table's rows, those that are places': budgets are kept there too."""
    found = [state for row in rows if (state := _state(row))]
    return sorted(found, key=lambda state: (state.brand, state.network, state.name))


def _state(item: Mapping[str, object] | None) -> State | None:
    """None for what is none, or is damaged."""
    text = item.get("p") if item else None
    try:
        return msgspec.json.decode(text, type=State) if isinstance(text, str) else None
    except msgspec.MsgspecError:
        return None
