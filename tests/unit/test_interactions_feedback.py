"""Feedback on lists: what is taken, and what a refusal says."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cuatro.errors import Rejected
from cuatro.interactions import MAX_FEEDBACK_ITEMS, Feedback, decode_feedback

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
FEEDBACK: dict[str, Any] = {
    "version": 1, "event_id": "e-1", "list_id": "l-1", "kind": "click", "items": ["a", "b"],
    "time": "2026-11-23T10:00:00Z",
}  # fmt: skip


def feedback(**changes: Any) -> Feedback:
    return decode_feedback(json.dumps({**FEEDBACK, **changes}).encode(), NOW.timestamp(), 60 * 86_400)


def test_feedback_names_each_item_once() -> None:
    assert feedback().items == ["a", "b"]
    assert feedback(items=["e\u0301", "b", "\u00e9"]).items == ["\u00e9", "b"]
    assert len(feedback(items=[f"i-{n}" for n in range(MAX_FEEDBACK_ITEMS)]).items) == MAX_FEEDBACK_ITEMS


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"items": []}, "items", "invalid_value"),
        ({"items": ["x"] * 101}, "items", "invalid_value"),
        ({"items": ["a", "b/c"]}, "items[1]", "invalid_value"),
        ({"kind": "purchase"}, "kind", "invalid_value"),
        ({"list_id": "no list"}, "list_id", "invalid_value"),
        ({"version": 3}, "version", "unknown_version"),
        ({"time": (NOW + timedelta(hours=1)).isoformat()}, "time", "time_in_future"),
        ({"time": (NOW - timedelta(days=61)).isoformat()}, "time", "time_too_old"),
    ],
)
def test_bad_feedback_is_refused(change: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(Rejected) as caught:
        feedback(**change)
    assert (caught.value.field, caught.value.code) == (field, code)
