"""Transaction ids -> their decisions, read from the decisions table as they appear."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

MAX_KEYS = 100  # BatchGetItem takes no more
_ATTRIBUTES = ("transaction_id", "outcome", "score", "reasons", "latency_ms", "model_version")


@dataclass(frozen=True)
class Decision:
    """approve, review or decline, with the score (probability of fraud) and milliseconds from event to decision."""

    transaction_id: str
    outcome: str
    score: float
    reasons: tuple[str, ...]
    latency_ms: float
    model_version: str

    @property
    def alerted(self) -> bool:
        """Does a person hear of it?"""
        return self.outcome != "approve"


class Decisions:
    """Waits for the decisions of expected transactions, oldest first."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb, self._table = dynamodb, table
        self.pending: dict[str, None] = {}

    def expect(self, transaction_ids: Iterable[str]) -> None:
        """Wait for these too."""
        self.pending.update(dict.fromkeys(transaction_ids))

    def poll(self) -> list[Decision]:
        """What has been decided of the oldest 100 pending; empty if nothing yet."""
        keys = [transaction_id for transaction_id, _ in zip(self.pending, range(MAX_KEYS), strict=False)]
        if not keys:
            return []
        answer = self._dynamodb.batch_get_item(
            RequestItems={
                self._table: {
                    "Keys": [{"transaction_id": {"S": key}} for key in keys],
                    "ProjectionExpression": ",".join(f"#{at}" for at in range(len(_ATTRIBUTES))),
                    "ExpressionAttributeNames": {f"#{at}": name for at, name in enumerate(_ATTRIBUTES)},
                }
            }
        )
        found = [_decision(item) for item in answer["Responses"].get(self._table, ())]
        for decision in found:
            del self.pending[decision.transaction_id]
        return found

    def labelled(self, transaction_ids: Sequence[str]) -> int:
        """How many of these (at most 100) decisions have been told the truth."""
        keys = [{"transaction_id": {"S": key}} for key in transaction_ids]
        answer = self._dynamodb.batch_get_item(
            RequestItems={
                self._table: {
                    "Keys": keys,
                    "ProjectionExpression": "#l",
                    "ExpressionAttributeNames": {"#l": "label"},
                }
            }
        )
        return sum("label" in item for item in answer["Responses"].get(self._table, ()))


def _decision(item: dict[str, dict[str, Any]]) -> Decision:
    return Decision(
        transaction_id=item["transaction_id"]["S"],
        outcome=item["outcome"]["S"],
        score=float(item["score"]["N"]),
        reasons=tuple(entry["S"] for entry in item.get("reasons", {}).get("L", ())),
        latency_ms=float(item["latency_ms"]["N"]),
        model_version=item["model_version"]["S"],
    )
