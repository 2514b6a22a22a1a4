"""Simulator -> one Kinesis batch, the states of its cards and terminals at that moment, and the tables with them."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.aws import CannedAws, Item
from functions.fraud.history import History, tag_of
from models.fraud.simulator import Simulation, simulate

TABLES = {"CARDS_TABLE": "cards", "TERMINALS_TABLE": "terminals", "DECISIONS_TABLE": "decisions"}


@dataclass(frozen=True)
class Workload:
    """`event` is what Lambda passes to a Kinesis handler; cards, terminals: number of distinct keys in it."""

    name: str
    event: dict[str, Any]
    transactions: list[dict[str, Any]]
    cards: dict[str, Item]
    terminals: dict[str, Item]

    @property
    def records(self) -> int:
        """Transactions in the batch."""
        return len(self.event["Records"])

    def distinct(self, field: str) -> int:
        """Number of different values of that field in the batch."""
        return len({transaction[field] for transaction in self.transactions})

    def first(self, records: int) -> dict[str, Any]:
        """The event with only its first records."""
        return {"Records": self.event["Records"][:records]}

    def aws(self) -> CannedAws:
        """AWS with this state in its tables."""
        return CannedAws(
            {
                TABLES["CARDS_TABLE"]: ("card_id", self.cards),
                TABLES["TERMINALS_TABLE"]: ("terminal_id", self.terminals),
                TABLES["DECISIONS_TABLE"]: ("transaction_id", {}),
            }
        )


def simulated(records: int = 100, seed: int = 7) -> Workload:
    """Consecutive purchases of a simulated population, the last of them a fraud: nearly every key occurs once."""
    table = simulate(Simulation(days=40, customers=5000, terminals=5000, seed=seed))
    last = int(np.flatnonzero(table.TX_FRAUD)[-1])
    return _workload("simulator", table[: last + 1], records)


def skewed(records: int = 100, seed: int = 7, exponent: float = 1.2) -> Workload:
    """The same purchases, but cards and terminals drawn with probability 1 / rank**exponent: hot keys."""
    table = simulate(Simulation(days=40, customers=5000, terminals=5000, seed=seed))
    rng = np.random.default_rng(seed)
    for column in ("CUSTOMER_ID", "TERMINAL_ID"):
        weights = 1.0 / np.arange(1, 1001) ** exponent
        table[column] = rng.choice(1000, len(table), p=weights / weights.sum())
    return _workload("skewed", table, records)


def _workload(name: str, table: pd.DataFrame, records: int) -> Workload:
    """The last rows are the batch, of the day that ends now, at their hours; all rows before them are the state."""
    now = datetime.now(UTC).replace(microsecond=0)
    # By whole days: fraud has its hours, and a run at night must measure what one at noon does.
    shift = timedelta(days=(now - table.TX_DATETIME.iloc[-1].to_pydatetime().replace(tzinfo=UTC)).days)
    past, batch = table[:-records], table[-records:]
    transactions = [_transaction(row, shift) for row in batch.itertuples()]
    return Workload(
        name=name,
        event={"Records": [_record(number, one) for number, one in enumerate(transactions)]},
        transactions=transactions,
        cards=_state("card_id", "CUSTOMER_ID", past, batch, shift),
        terminals=_state("terminal_id", "TERMINAL_ID", past, batch, shift),
    )


def _state(attribute: str, column: str, past: pd.DataFrame, batch: pd.DataFrame, shift: timedelta) -> dict[str, Item]:
    items: dict[str, Item] = {}
    for number, rows in past[past[column].isin(batch[column])].groupby(column):
        history, key = History(), f"{attribute[0]}{number}"
        for row in rows.tail(1000).itertuples():
            time = int((row.TX_DATETIME.to_pydatetime().replace(tzinfo=UTC) + shift).timestamp())
            history.add(tag_of(f"t-{row.TRANSACTION_ID}"), time, round(row.TX_AMOUNT * 100))
        items[key] = {
            attribute: {"S": key},
            "s": {"B": base64.b64encode(history.pack()).decode()},
            "v": {"N": str(len(rows))},
            "x": {"N": str(history.expires_at)},
        }
    return items


def _transaction(row: Any, shift: timedelta) -> dict[str, Any]:
    time = row.TX_DATETIME.to_pydatetime().replace(tzinfo=UTC) + shift
    return {
        "version": 1,
        "transaction_id": f"t-{row.TRANSACTION_ID}",
        "card_id": f"c{row.CUSTOMER_ID}",
        "terminal_id": f"t{row.TERMINAL_ID}",
        "merchant_id": f"m{row.TERMINAL_ID % 997}",
        "amount": round(row.TX_AMOUNT * 100),
        "currency": "EUR",
        "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "correlation_id": f"demo-{row.TRANSACTION_ID}",
    }


def _record(number: int, transaction: dict[str, Any]) -> dict[str, Any]:
    sequence = f"49546986683135544286507457936321625675700192471156785{number:03d}"
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": transaction["card_id"],
            "sequenceNumber": sequence,
            "data": base64.b64encode(json.dumps(transaction).encode()).decode(),
            "approximateArrivalTimestamp": datetime.now(UTC).timestamp(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000006:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/score",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/transactions",
    }
