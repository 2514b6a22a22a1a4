"""The end of a reading -> the study's row, its instances' rows, then the bus; done again, it is the same.

The row's write is conditional on its number. What is told is told after it: a crash between the two tells twice.
"""

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.adapters.dynamodb import Dynamo
from cuatro.adapters.partiql import change
from cuatro.adapters.publishing import publish_events
from cuatro.errors import Unavailable
from functions.imaging.conclude.settings import Settings
from functions.imaging.outcome import Outcome, decode, encode, event_of, outcome_of, state_of, with_results
from functions.imaging.progress import Progress
from functions.imaging.studies import ARRIVING
from functions.imaging.study_state import KEY, row_of

SOURCE = "cuatro.imaging"
_ROUNDS = 5
"""Of compare-and-set against instances that arrive at the same time."""


def conclude(progress: Progress, setting: Settings, dynamo: Dynamo, time: str) -> Outcome | None:
    """The outcome; None for a study that was erased meanwhile: of it nothing is written or told.

    time: RFC 3339. Raises Unavailable.
    """
    outcome = outcome_of(progress)
    if not _written(progress, outcome, setting, dynamo):
        return None
    _mark_read(progress, setting, dynamo)
    if publish_events(setting.bus_name, [event_of(progress, time)], source=SOURCE):
        raise Unavailable("the bus did not take the event")
    return outcome


def _written(progress: Progress, outcome: Outcome, setting: Settings, dynamo: Dynamo) -> bool:
    """False: there is no such study any more."""
    for _ in range(_ROUNDS):
        row = row_of(dynamo, setting.studies_table, progress.study)
        if row is None:
            return False
        values = _values(row, progress, outcome)
        where = {KEY: progress.study, "n": row["n"]}
        (done,) = dynamo.write([change(setting.studies_table, {**values, "n": row["n"] + 1}, where)])
        if done.status == "done":
            return True
        if done.status == "failed":
            raise Unavailable(f"study {progress.study} could not be written: {done.code}")
    raise Unavailable(f"too many write study {progress.study} at once")


def _values(row: Item, progress: Progress, outcome: Outcome) -> Item:
    """A newer revision's outcome and state stay; so does that more instances are arriving."""
    values: Item = {}
    if progress.results:
        values["k"] = with_results(row.get("k") or "", progress.revision, progress.results)
    if _revision(row) <= progress.revision:
        values["v"] = encode(outcome)
    if row["r"] == progress.revision and row["s"] != ARRIVING:
        values["s"] = state_of(progress)
    return values or {"s": row["s"]}


def _revision(row: Item) -> int:
    """Of the outcome that the row has; 0 for none, and for one that nobody can read."""
    try:
        return decode(row["v"]).revision if row.get("v") else 0
    except msgspec.MsgspecError:
        return 0


def _mark_read(progress: Progress, setting: Settings, dynamo: Dynamo) -> None:
    """Their rows say so; of one that is gone, or that a newer revision reads, nothing is changed."""
    changes = [
        change(setting.instances_table, {"s": "read"}, {"instance": item.instance, "rev": progress.revision})
        for item in progress.read
    ]
    if changes and any(each.status == "failed" for each in dynamo.write(changes)):
        raise Unavailable("instances could not be marked as read")
