"""A history with labels -> the deployed lake and the states of cards and terminals, as if the suite had decided it.

What is there already stays: a card or terminal that has a state keeps it, and a second backfill of the same run writes
the same objects again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from functions.fraud.history import History
from local.feed.batch import batched
from local.lifecycle.control import STACKS
from local.platform.client import Connection
from local.platform.errors import PlatformError

if TYPE_CHECKING:
    from models.fraud.backfill import Backfill

STATEMENTS_A_CALL = 25
WRITERS = 4
ROUNDS = 5
_THERE = {"DuplicateItem", "ConditionalCheckFailed"}


def fill(connection: Connection, filled: "Backfill", run: str, tell: Callable[[str, float | None], None]) -> int:
    """Write everything; the number of cards and terminals that had a state already. `run` names the lake's objects.

    Raises PlatformError when the tables refuse a state.
    """
    outputs = connection.outputs(STACKS["fraud"])
    s3 = connection.client("s3")
    for key, content in filled.files():
        folder, _, name = f"fraud/{key}".rpartition("/")
        s3.put_object(Bucket=outputs["LakeBucket"], Key=f"{folder}/{run}-{name}", Body=content)
    client = connection.client("dynamodb")
    states = [
        *_statements(outputs["CardsTable"], "card_id", filled.cards),
        *_statements(outputs["TerminalsTable"], "terminal_id", filled.terminals),
    ]
    done = known = 0
    with ThreadPoolExecutor(WRITERS) as pool:
        batches = list(batched(states, STATEMENTS_A_CALL))
        for there in pool.map(lambda batch: _insert(client, batch), batches):
            known += there
            done += 1
            tell("Filling the states", done / len(batches))
    return known


def _statements(table: str, key: str, histories: Mapping[str, History]) -> Iterator[dict[str, Any]]:
    for name, history in histories.items():
        values = [{"S": name}, {"B": history.pack()}, {"N": "1"}, {"N": str(history.expires_at)}]
        yield {"Statement": f"INSERT INTO \"{table}\" VALUE {{'{key}':?,'s':?,'v':?,'x':?}}", "Parameters": values}


def _insert(client: Any, statements: Iterable[dict[str, Any]]) -> int:
    """How many were there already."""
    left, there = list(statements), 0
    for _ in range(ROUNDS):
        answers = client.batch_execute_statement(Statements=left)["Responses"]
        errors = [answer.get("Error", {}).get("Code") for answer in answers]
        there += sum(error in _THERE for error in errors)
        left = [statement for statement, error in zip(left, errors, strict=True) if error and error not in _THERE]
        if not left:
            return there
    raise PlatformError(
        f"{len(left)} states could not be written: {', '.join(sorted({e for e in errors if e}))}.",
        "Run the backfill again: what is written stays.",
    )
