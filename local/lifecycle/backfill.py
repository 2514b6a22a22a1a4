"""A history from before the suite -> the deployed lake, and the states that it would hold, as if it had seen it all.

What is there already stays: a card, terminal or user that has a state keeps it, and a second backfill of the same run
writes the same objects again.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec

from cuatro.errors import Rejected
from cuatro.interactions import Interaction, decode_interaction
from functions.fraud.history import History
from functions.recommendations import profile
from local.feed.batch import batched
from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS

if TYPE_CHECKING:
    import pandas as pd

    from models.fraud.backfill import Backfill

STATEMENTS_A_CALL = 25
WRITERS = 4
ROUNDS = 5
CONTEXT = ("country", "device", "page")
_INSERT = "INSERT INTO \"{table}\" VALUE {{'{key}':?,'{state}':?,'{number}':?,'x':?}}"
_THERE = {"DuplicateItem", "ConditionalCheckFailed"}
_DAY_S = 86_400
Tell = Callable[[str, float | None], None]
Statement = dict[str, Any]


def fill(connection: Connection, filled: "Backfill", run: str, tell: Tell) -> int:
    """Write fraud's history; the number of cards and terminals that had a state already. `run` names the objects.

    Raises PlatformError when the tables refuse a state.
    """
    put_files(connection, "fraud", filled.files(), run)
    outputs = connection.outputs(STACKS["fraud"])
    states = [
        *_histories(outputs["CardsTable"], "card_id", filled.cards),
        *_histories(outputs["TerminalsTable"], "terminal_id", filled.terminals),
    ]
    return _put_states(connection, states, tell)


def fill_interactions(connection: Connection, table: "pd.DataFrame", run: str, tell: Tell) -> tuple[int, int]:
    """Write recommendations' history; users, and how many of them had a profile already.

    table: as models.recommendations.backfill.files takes it. Raises ValueError for one that it does not take, and for
    names that the stream would refuse; PlatformError.
    """
    from models.recommendations.backfill import files  # noqa: PLC0415 - pandas takes long to import

    content = list(files(table))
    outputs = connection.outputs(STACKS["recommendations"])
    record = connection.client("lambda").get_function_configuration(FunctionName=outputs["RecordFunction"])
    lasts_s = json.loads(record["Environment"]["Variables"]["POLICY"])["profile_days"] * _DAY_S
    whole = table.assign(
        **{name: default for name, default in (("kind", "view"), ("value", None)) if name not in table},
        **({} if "event_id" in table else {"event_id": [f"backfill-{number}" for number in range(len(table))]}),
    )
    states = list(_profiles(outputs["ProfilesTable"], whole, lasts_s))
    put_files(connection, "recommendations", content, run)
    return len(states), _put_states(connection, states, tell)


def put_files(connection: Connection, pipeline: str, files: Iterable[tuple[str, bytes]], run: str) -> int:
    """(key below the pipeline's folder of the lake, content) -> objects whose names begin with `run`; their number."""
    bucket, s3 = connection.outputs(STACKS[pipeline])["LakeBucket"], connection.client("s3")
    number = 0
    for key, content in files:
        folder, _, name = f"{pipeline}/{key}".rpartition("/")
        s3.put_object(Bucket=bucket, Key=f"{folder}/{run}-{name}", Body=content)
        number += 1
    return number


def _histories(table: str, key: str, histories: Mapping[str, History]) -> Iterator[Statement]:
    text = _INSERT.format(table=table, key=key, state="s", number="v")
    for name, history in histories.items():
        yield _insertion(text, name, history.pack(), history.expires_at)


def _profiles(table: str, rows: "pd.DataFrame", lasts_s: float) -> Iterator[Statement]:
    """One for each user; names as the stream would have them."""
    text = _INSERT.format(table=table, key="user_id", state="p", number="n")
    for _, theirs in rows.groupby("user_id", sort=False):
        interactions = [_interaction(row) for row in theirs.to_dict("records")]
        made, _ = profile.fold(profile.Profile(), interactions)
        yield _insertion(text, interactions[0].user_id, profile.encode(made), int(made.last_ms / 1000 + lasts_s))


def _interaction(row: dict[str, Any]) -> Interaction:
    """Raises ValueError for what the stream would not take either."""
    told = {name: row[name] for name in ("event_id", "user_id", "item_id", "kind")}
    value = row.get("value")
    told |= {"version": 1, "time": row["time"].isoformat(), "value": None if value != value else value}  # noqa: PLR0124 - not a number
    told["context"] = {name: row[name] for name in CONTEXT if isinstance(row.get(name), str)}
    try:
        return decode_interaction(msgspec.json.encode(told), row["time"].timestamp(), _DAY_S)
    except Rejected as rejected:
        raise ValueError(f"event {row['event_id']}: {rejected.reason}") from rejected


def _insertion(text: str, name: str, packed: bytes, expires: int) -> Statement:
    """The first row of a state."""
    return {"Statement": text, "Parameters": [{"S": name}, {"B": packed}, {"N": "1"}, {"N": str(expires)}]}


def _put_states(connection: Connection, states: list[Statement], tell: Tell) -> int:
    """How many were there already."""
    client = connection.client("dynamodb")
    done = known = 0
    with ThreadPoolExecutor(WRITERS) as pool:
        batches = list(batched(states, STATEMENTS_A_CALL))
        for there in pool.map(lambda batch: _insert(client, batch), batches):
            known += there
            done += 1
            tell("Filling the states", done / len(batches))
    return known


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
