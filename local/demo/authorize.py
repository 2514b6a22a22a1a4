"""Two purchases of one card -> POST /authorizations, as a payment terminal asks while the card waits."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from local.feed.api import Answer, Api
from local.feed.transactions import Feed, rfc3339


def ask(api: Api, feeds: Sequence[Feed], run: str) -> list[tuple[str, dict[str, Any], Answer]]:
    """What was asked in words, the request and the answer: an ordinary purchase, then one that is not at all."""
    known = [item.fields for item in feeds if item.fields and item.problem is None]
    if not known:
        return []
    card, _ = Counter(fields["card_id"] for fields in known).most_common(1)[0]
    mine = [fields for fields in known if fields["card_id"] == card]
    habit, _ = Counter(fields["terminal_id"] for fields in mine).most_common(1)[0]
    amounts = sorted(int(fields["amount"]) for fields in mine)
    usual = amounts[len(amounts) // 2]
    base = {"version": 1, "card_id": card, "currency": mine[-1]["currency"]}
    requests = [
        ("its usual amount, at its usual terminal", {**base, "terminal_id": habit, "amount": usual}),
        ("40 times that, where it never was", {**base, "terminal_id": f"{run}-faraway", "amount": 40 * usual}),
    ]
    asked = []
    for number, (words, request) in enumerate(requests, start=1):
        request |= {"transaction_id": f"{run}-auth{number}", "time": rfc3339(datetime.now(UTC))}
        asked.append((words, request, api.post("/authorizations", request)))
    return asked
