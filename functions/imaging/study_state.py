"""A step of a reading <-> the study's row: is it still there, and does it still wait for this revision?

A study may be erased while it is read, and more of it may come: then what an older revision says must not hide that.
"""

from cuatro.adapters.attributes import Item
from cuatro.adapters.dynamodb import Dynamo, Keys
from cuatro.errors import Refused, Rejected, Unavailable
from functions.imaging.progress import Progress
from functions.imaging.studies import ERASED, READING

KEY = "study"


def row_of(dynamo: Dynamo, table: str, study: str) -> Item | None:
    """None for a study that is not there, or was erased. Raises Unavailable."""
    found = dynamo.read({table: Keys(KEY, [study])})[table]
    if found.unread:
        raise Unavailable(f"study {study} could not be read")
    row = found.items.get(study)
    return None if row is None or row.get("s") == ERASED else row


def standing(dynamo: Dynamo, table: str, progress: Progress) -> Item:
    """The row. Raises Rejected (code "erased"): nothing may be written of what was erased; Unavailable."""
    row = row_of(dynamo, table, progress.study)
    if row is None:
        raise Rejected(f"study {progress.study} was erased", code="erased")
    return row


def enter(dynamo: Dynamo, table: str, progress: Progress, state: str) -> bool:
    """Have the row say that its newest revision waits for something; False if it waits for another.

    Raises Unavailable or Refused.
    """
    try:
        dynamo.update(
            table,
            {KEY: progress.study},
            "SET s = :s ADD n :one",
            {":s": state, ":one": 1, ":r": progress.revision, ":reading": READING},
            "r = :r AND s IN (:reading, :s)",
        )
    except Refused as refused:
        if refused.code == "ConditionalCheckFailedException":
            return False
        raise
    return True
