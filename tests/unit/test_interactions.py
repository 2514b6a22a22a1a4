"""Interactions, feedback and names: what is taken, and what a refusal says."""

import json
import unicodedata
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuatro.errors import Rejected
from cuatro.interactions import (
    MAX_INTERACTION_BYTES,
    MAX_INTERACTIONS,
    Interaction,
    checked_name,
    decode_interaction,
    decode_interactions,
)

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = 86400.0
GOOD: dict[str, Any] = {
    "version": 1, "event_id": "e-1", "user_id": "u-1", "item_id": "film 7", "kind": "view",
    "time": "2026-11-23T10:00:00.000Z",
}  # fmt: skip
HOSTILE = (
    "", " ", "a" * 129, "a/b", "..", ".", "a\\b", "a?b", "a#b", "a%2Fb", "a\x00b", "a\nb", "a\x7fb", " a", "a ",
    "a\u2028b", "a\u202eb", "\ud800", "a\u00a0", "\ufeffa", "../../etc/passwd", "<script>alert(1)</script>",
)  # fmt: skip
GOOD_NAMES = (
    "u-1",
    "Amélie",
    "千と千尋の神隠し",
    "Война и мир",
    "🎬🎞",
    "a b",
    "o'neil",
    '"quoted"',
    "x" * 128,
    "😀" * 128,
    "...",
    "עברית",
)


def decoded(body: Any, max_age_s: float = DAY) -> Interaction:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_interaction(data, NOW.timestamp(), max_age_s)


def refusal(body: Any) -> tuple[str | None, str]:
    with pytest.raises(Rejected) as caught:
        decoded(body)
    assert len(caught.value.reason) > 5
    return caught.value.field, caught.value.code


def test_a_good_interaction_is_read() -> None:
    whole = {**GOOD, "kind": "rating", "value": 4.5, "context": {"country": "IT"}, "list_id": "l-1", "new": [1]}
    interaction = decoded(whole)
    assert (interaction.user_id, interaction.item_id, interaction.kind, interaction.value) == (
        "u-1", "film 7", "rating", 4.5,
    )  # fmt: skip
    assert (interaction.time, interaction.context, interaction.list_id) == (NOW, {"country": "IT"}, "l-1")
    assert decoded(msgspec.json.encode(interaction)) == interaction


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"version": 2}, "version", "unknown_version"),
        ({"version": 2, "kind": "gaze"}, "version", "unknown_version"),
        ({"event_id": "a b"}, "event_id", "invalid_value"),
        ({"event_id": "ä"}, "event_id", "invalid_value"),
        ({"user_id": 7}, "user_id", "wrong_type"),
        ({"item_id": None}, "item_id", "wrong_type"),
        ({"kind": "gaze"}, "kind", "invalid_value"),
        ({"kind": "rating"}, "value", "missing_field"),
        ({"kind": "rating", "value": 5.01}, "value", "out_of_range"),
        ({"value": -1}, "value", "out_of_range"),
        ({"value": 1e10}, "value", "out_of_range"),
        ({"value": "1"}, "value", "wrong_type"),
        ({"context": {"a": 1}}, "context", "wrong_type"),
        ({"context": {"": "x"}}, "context", "invalid_value"),
        ({"context": {"a b": "x"}}, "context", "invalid_value"),
        ({"context": {"a" * 33: "x"}}, "context", "invalid_value"),
        ({"context": {"a": "x" * 65}}, "context", "invalid_value"),
        ({"context": {"a": ""}}, "context", "invalid_value"),
        ({"context": {"page": "a\nb"}}, "context.page", "invalid_value"),
        ({"context": {f"k{n}": "x" for n in range(9)}}, "context", "invalid_value"),
        ({"time": "2026-11-23T10:00:00"}, "time", "time_without_zone"),
        ({"time": "yesterday"}, "time", "invalid_time"),
        ({"time": "2026-11-23T10:05:01Z"}, "time", "time_in_future"),
        ({"time": "2026-11-22T09:59:59Z"}, "time", "time_too_old"),
        ({"list_id": "a/b"}, "list_id", "invalid_value"),
    ],
)
def test_a_refusal_names_field_and_reason(change: dict[str, Any], field: str, code: str) -> None:
    assert refusal({**GOOD, **change}) == (field, code)


@pytest.mark.parametrize("field", GOOD)
def test_every_field_is_needed(field: str) -> None:
    assert refusal({key: value for key, value in GOOD.items() if key != field}) == (field, "missing_field")


@pytest.mark.parametrize("field", ["user_id", "item_id"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_refused(field: str, name: str) -> None:
    assert refusal({**GOOD, field: name})[0] in {field, None}, "a lone surrogate is no JSON at all"


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_names_of_any_script_are_taken(name: str) -> None:
    interaction = decoded({**GOOD, "user_id": name, "item_id": name, "context": {"page": name[:64]}})
    assert (interaction.user_id, interaction.item_id, interaction.context["page"]) == (name, name, name[:64])
    assert decoded({**GOOD, "user_id": name}) == decoded(
        json.dumps({**GOOD, "user_id": name}, ensure_ascii=False).encode()
    )


def test_two_spellings_of_a_name_are_one_name() -> None:
    composed, apart = "Am\u00e9lie", "Ame\u0301lie"
    assert composed != apart
    one, other = (
        decoded({**GOOD, "user_id": name, "item_id": name, "context": {"page": name}}) for name in (composed, apart)
    )
    assert one == other
    assert checked_name(apart, "item_id") == composed
    assert refusal({**GOOD, "user_id": "\u0958" * 128}) == ("user_id", "invalid_value"), "form C is longer: 256"


@given(st.text(max_size=140))
def test_a_name_that_is_taken_is_harmless_and_keeps_its_form(text: str) -> None:
    try:
        name = checked_name(text, "user_id")
    except Rejected:
        return
    assert checked_name(name, "user_id") == name == unicodedata.normalize("NFC", text)
    assert 1 <= len(name) <= 128
    assert name == name.strip()
    assert not any(unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"} for each in name)
    assert not set("/\\?#%") & set(name)
    assert json.loads(name.join(['["', '"]'])) == [name] if '"' not in name else True
    assert name.encode().decode() == name


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe", b"[]", b'{"x":' + b"[" * 10_000, b"NaN", b'{"user_id":"\xff"}']
)
def test_what_is_no_interaction_is_rejected(data: bytes) -> None:
    with pytest.raises(Rejected):
        decoded(data)


def test_the_longest_interaction_is_taken_and_an_oversized_one_is_not_read() -> None:
    longest = {
        **GOOD, "event_id": "e" * 64, "user_id": "😀" * 128, "item_id": "😀" * 128, "list_id": "l" * 64,
        "correlation_id": "c" * 64, "context": {f"{n}" + "k" * 31: "😀" * 64 for n in range(8)},
    }  # fmt: skip
    assert len(json.dumps(longest)) > 9_000
    decoded(longest)
    assert refusal(b"[" * (MAX_INTERACTION_BYTES + 1)) == (None, "oversized")


@given(st.binary(max_size=300))
def test_garbage_is_always_rejected_and_never_crashes(data: bytes) -> None:
    with pytest.raises(Rejected):
        decoded(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from([*GOOD, "value", "context", "list_id", "new"]), JSON)
def test_any_value_in_any_field_is_taken_or_rejected_by_its_name(field: str, value: Any) -> None:
    refused = None
    try:
        decoded({**GOOD, field: value})
    except Rejected as rejected:
        refused = rejected.field
    assert refused is None or refused.split(".")[0] in {field, "value"}


def test_the_good_of_a_request_are_read_beside_the_bad() -> None:
    body = {"interactions": [GOOD, {**GOOD, "kind": "gaze"}, 7, {**GOOD, "event_id": "e-2"}]}
    good, bad = decode_interactions(json.dumps(body).encode(), NOW.timestamp(), DAY)
    assert [(place, each.event_id) for place, each in good] == [(0, "e-1"), (3, "e-2")]
    assert [(place, each.field, each.code) for place, each in bad] == [
        (1, "kind", "invalid_value"), (2, None, "wrong_type"),
    ]  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"interactions":[]}', b'{"interactions":{}}', b" " * 1_048_577])
def test_a_request_without_interactions_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected):
        decode_interactions(body, NOW.timestamp(), DAY)


def test_the_number_of_interactions_is_limited() -> None:
    def request(number: int) -> bytes:
        return json.dumps({"interactions": [GOOD] * number}).encode()

    assert len(decode_interactions(request(MAX_INTERACTIONS), NOW.timestamp(), DAY)[0]) == MAX_INTERACTIONS
    with pytest.raises(Rejected) as caught:
        decode_interactions(request(MAX_INTERACTIONS + 1), NOW.timestamp(), DAY)
    assert caught.value.field == "interactions"
