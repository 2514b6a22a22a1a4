"""An audit event holds plain words only, whatever it is given; equal events are equal bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuatro.audit import MAX_EVENT_BYTES, WITHHELD, AuditEvent, audit_event, decode, encode, plain
from cuatro.errors import Rejected

WORDS = {"actor": "sender:north", "outcome": "success", "purpose": "treatment"}


def event(object_: str = "abc", **given: object) -> AuditEvent:
    return audit_event("1" * 32, "2026-11-23T10:00:00.000Z", "receive", object_, **{**WORDS, **given})  # type: ignore[arg-type]


def test_an_event_survives_the_way_through_the_queue() -> None:
    given = event(correlation="c-1", details={"bytes": 12, "code": "burned_in_text"})

    assert decode(encode(given)) == given


@pytest.mark.safeguard("164.312(a)(1)")
@pytest.mark.parametrize("field", ["actor", "purpose", "correlation"])
@pytest.mark.parametrize("word", ["Phantom^One", "Phantom One", "Müller", "a\nb", 'x"y', "x" * 257, "<script>"])
def test_a_word_that_is_not_plain_is_withheld(field: str, word: str) -> None:
    told = encode(event(**{field: word}))

    assert getattr(decode(told), field) == WITHHELD
    assert word.encode() not in told


def test_a_detail_with_a_strange_name_is_withheld_with_its_value() -> None:
    assert event(details={"Patient": "ab", "code": "ok"}).details == {WITHHELD: WITHHELD, "code": "ok"}


def test_at_most_sixteen_details_are_kept() -> None:
    assert len(event(details={f"d{number}": number for number in range(40)}).details) == 16


@given(st.text(), st.text(), st.dictionaries(st.text(), st.one_of(st.text(), st.integers()), max_size=20))
def test_whatever_is_given_an_event_is_told_and_can_be_read(
    actor: str, object_: str, details: dict[str, object]
) -> None:
    told = encode(event(object_, actor=actor, details=details))

    assert len(told) <= MAX_EVENT_BYTES
    assert encode(decode(told)) == told


def test_the_order_of_details_does_not_change_the_bytes() -> None:
    assert encode(event(details={"a": 1, "b": 2})) == encode(event(details={"b": 2, "a": 1}))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (b'{"version":1}', "missing_field"),
        (b"not json", "malformed_json"),
        (encode(event()).replace(b'"receive"', b'"dance"'), "invalid_value"),
        (encode(event()).replace(b'"abc"', b'"a b"'), "invalid_value"),
    ],
)
def test_what_is_no_event_is_rejected(change: bytes, code: str) -> None:
    with pytest.raises(Rejected) as rejected:
        decode(change)
    assert rejected.value.code == code


def test_ids_and_arns_are_plain() -> None:
    for word in ("arn:aws:sts::123456789012:assumed-role/x/y", "a2b3", "studies/ab/cd.dcm", "2.25.123", ""):
        assert plain(word) == word
