"""The fraud pipeline in one process: events go in as Lambda would deliver them, tests look at what is left behind."""

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from functions.fraud.history import History
from tests.functional.aws_in_memory import Wire
from tests.functional.stage import CREDENTIALS, REGION, Context, Stage, client

ENVIRONMENT = {
    **CREDENTIALS,
    "CARDS_TABLE": "cards", "TERMINALS_TABLE": "terminals", "DECISIONS_TABLE": "decisions", "LABELS_TABLE": "labels",
    "REJECTED_BUCKET": "rejected", "STREAM_NAME": "transactions", "BUS_NAME": "suite", "MAX_AGE_DAYS": "60",
    "ALERTS_TOPIC_ARN": f"arn:aws:sns:{REGION}:{DEFAULT_ACCOUNT_ID}:alerts", "SHADOW_MODEL_URI": "",
    "DECISIONS_DELIVERY": "decisions-to-lake", "LABELS_DELIVERY": "labels-to-lake",
    "POWERTOOLS_SERVICE_NAME": "fraud", "POWERTOOLS_METRICS_NAMESPACE": "Cuatro",
}  # fmt: skip
TABLES = {"cards": "card_id", "terminals": "terminal_id", "decisions": "transaction_id", "labels": "transaction_id"}


def transaction(number: int, **changes: Any) -> dict[str, Any]:
    """A good transaction; number makes its id, and its time (a second apart, the last minutes)."""
    when = datetime.fromtimestamp(int(time.time()) - 1000 + number, UTC)
    return {
        "version": 1,
        "transaction_id": f"t-{number}",
        "card_id": "c-1",
        "terminal_id": "s-1",
        "amount": 1250,
        "currency": "EUR",
        "time": when.isoformat(),
        **changes,
    }


class Suite(Stage):
    """Tables, stream, bus, topic and bucket in memory, and the functions."""

    def __init__(self, wire: Wire) -> None:
        deliveries = {f"{name}-to-lake": f"fraud/{name}/" for name in ("decisions", "labels")}
        super().__init__(wire, TABLES, "transactions", deliveries)
        client("sns").create_topic(Name="alerts")
        wire.calls.clear()

    # What comes in

    def records(self, bodies: Iterable[dict[str, Any] | bytes], partition_key: str = "c-1") -> list[dict[str, Any]]:
        """Kinesis records as Lambda gets them."""
        return super().records(bodies, partition_key)

    def score(self, *bodies: dict[str, Any] | bytes) -> dict[str, Any]:
        """One delivery."""
        return self.deliver(self.records(bodies))

    @staticmethod
    def deliver(records: list[dict[str, Any]]) -> dict[str, Any]:
        """One delivery of these records."""
        from functions.fraud.score.handler import handler  # noqa: PLC0415 - reads the test's environment

        return handler({"Records": records}, Context())

    def act(self) -> dict[str, Any]:
        """One delivery of what the cards' stream holds since the last one that succeeded."""
        from functions.fraud.act.handler import handler  # noqa: PLC0415

        return self.consume("cards", "d", handler)

    def learn(self) -> dict[str, Any]:
        """The same for the labels' stream."""
        from functions.fraud.learn.handler import handler  # noqa: PLC0415

        return self.consume("labels", "fraud", handler)

    def call(
        self, method: str, resource: str, body: Any = None, headers: dict[str, str] | None = None, **path: str
    ) -> tuple[int, dict[str, Any]]:
        """One request to the API. Status and body."""
        from functions.fraud.api.handler import handler  # noqa: PLC0415

        return self.request(handler, (method, resource), body, headers=headers, path=path)

    # What is left behind

    def history(self, table: str, key: str) -> History:
        """The state of a card or terminal."""
        return History.unpack(self.items(table)[key]["s"])

    def events(self, kind: str = "TransactionScored") -> list[dict[str, Any]]:
        """Details of what is on the bus."""
        return super().events(kind)

    def alerts(self) -> list[dict[str, Any]]:
        """Bodies of the published alerts."""
        topic = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics[ENVIRONMENT["ALERTS_TOPIC_ARN"]]
        return [json.loads(sent[1]) for sent in topic.sent_notifications]

    def lake(self, kind: str = "decisions") -> list[dict[str, Any]]:
        """Lines of the lake, in the order of their delivery."""
        return self.lines("lake", f"fraud/{kind}/")
