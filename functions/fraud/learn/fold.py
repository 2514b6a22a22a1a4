"""A label from the store -> the risk history of its terminal, and `label` on its decision; twice is as good as once."""

from datetime import datetime

from cuatro.adapters.attributes import Item
from cuatro.adapters.dynamodb import Dynamo
from cuatro.adapters.partiql import change
from cuatro.errors import Unavailable
from functions.fraud.history import History, tag_of
from functions.fraud.learn.settings import Settings
from functions.fraud.state import Table, Write, read, write

ROUNDS = 8
"""Rounds of compare-and-set against the writers of transactions."""


def fold(label: Item, setting: Settings, dynamo: Dynamo) -> None:
    """label: an item of the labels table. Raises Unavailable."""
    table = Table.terminals(setting.terminals_table)
    for _ in range(ROUNDS):
        if _folded(label, table, dynamo):
            break
    else:
        raise Unavailable(f"terminal {label['terminal_id']}: too many concurrent writers")
    key = {"transaction_id": label["transaction_id"]}
    (written,) = dynamo.write([change(setting.decisions_table, {"label": label["fraud"]}, key)])
    if written.status == "failed":  # a conflict is a decision that is not kept any more
        raise Unavailable(f"decision {label['transaction_id']}: {written.code}")


def _folded(label: Item, table: Table, dynamo: Dynamo) -> bool:
    """One round; False: somebody else has written the terminal meanwhile."""
    key = label["terminal_id"]
    (states,) = read(dynamo, [(table, [key])])
    if key not in states:
        raise Unavailable(f"terminal {key} could not be read")
    before = states[key]
    if not before.version:
        return True  # forgotten: without its transactions there is no risk to speak of
    history = History.unpack(before.history)
    history.label(
        tag_of(label["transaction_id"]),
        _seconds(label["transaction_time"]),
        _seconds(label["time"]),
        label["fraud"],
        label["ratio"],
    )
    packed = history.pack()
    if packed == before.history:
        return True
    answers = write(dynamo, table, [Write(key, before, packed, history.expires_at)])
    if answers.failed:
        raise Unavailable(f"terminal {key}: {answers.failed[key]}")
    return not answers.conflicts


def _seconds(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp())
