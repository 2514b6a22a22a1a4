"""Labels from the store -> terminals' risk, `label` on their decisions, lines of the lake; twice is as good as once."""

from collections.abc import Sequence

from cuatro.adapters.dynamodb import Dynamo
from cuatro.adapters.partiql import change
from cuatro.adapters.publishing import put_lines
from cuatro.errors import Unavailable
from functions.fraud import lake
from functions.fraud.history import History, tag_of
from functions.fraud.learn.labels import StoredLabel
from functions.fraud.learn.settings import Settings
from functions.fraud.state import Stored, Table, Write, read, write

ROUNDS = 8
"""Rounds of compare-and-set against the writers of transactions."""


def fold(labels: Sequence[StoredLabel], setting: Settings, dynamo: Dynamo) -> dict[int, str]:
    """Position -> why, of the labels that could not be learned; to be delivered again."""
    table = Table.terminals(setting.terminals_table)
    terminals: dict[str, list[int]] = {}
    for position, label in enumerate(labels):
        terminals.setdefault(label.terminal_id, []).append(position)
    waiting = {key: [labels[place] for place in places] for key, places in terminals.items()}
    why = _fold_terminals(waiting, table, dynamo)
    failed = {position: why[key] for key in why for position in terminals[key]}
    failed |= _label_decisions(labels, setting.decisions_table, dynamo)
    learned = [position for position in range(len(labels)) if position not in failed]
    lines = [lake.encode(labels[position].recorded()) for position in learned]
    lost = put_lines(setting.labels_delivery, lines)
    return failed | {learned[number]: "the lake did not take the label" for number in lost}


def _fold_terminals(waiting: dict[str, list[StoredLabel]], table: Table, dynamo: Dynamo) -> dict[str, str]:
    """Terminal -> why it could not be written. Each round writes all that nobody else has written meanwhile."""
    failed: dict[str, str] = {}
    for _ in range(ROUNDS):
        try:
            (states,) = read(dynamo, [(table, list(waiting))])
        except Unavailable as error:
            return failed | dict.fromkeys(waiting, str(error))
        failed |= {key: "the terminal could not be read" for key in waiting if key not in states}
        writes = []
        for key, before in states.items():
            try:
                folded = _folded(before, waiting[key])
            except ValueError as error:
                failed[key] = f"damaged state: {error}"
                continue
            if folded:
                writes.append(Write(key, before, folded.pack(), folded.expires_at))
        answers = write(dynamo, table, writes)
        failed |= answers.failed
        waiting = {key: waiting[key] for key in answers.conflicts}
        if not waiting:
            return failed
    return failed | dict.fromkeys(waiting, "too many concurrent writers")


def _folded(before: Stored, labels: Sequence[StoredLabel]) -> History | None:
    """None: there is nothing to write."""
    if not before.version:
        return None  # forgotten: without its transactions there is no risk to speak of
    history = History.unpack(before.history)
    for label in labels:
        time, known = int(label.transaction_time.timestamp()), int(label.time.timestamp())
        history.label(tag_of(label.transaction_id), time, known, label.fraud, label.ratio)
    return history if history.pack() != before.history else None


def _label_decisions(labels: Sequence[StoredLabel], table: str, dynamo: Dynamo) -> dict[int, str]:
    last = {label.transaction_id: position for position, label in enumerate(labels)}  # the last one of an id counts
    statements = [
        change(table, {"label": labels[position].fraud}, {"transaction_id": key}) for key, position in last.items()
    ]
    written = zip(last.values(), dynamo.write(statements), strict=True)
    # A conflict is a decision that is not kept any more.
    return {position: f"decision: {each.code}" for position, each in written if each.status == "failed"}
