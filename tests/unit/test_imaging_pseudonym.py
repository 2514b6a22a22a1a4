"""Pseudonyms: the same in, the same out; another secret, kind or issuer, another; nothing shows through."""

import hashlib
import hmac
import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.imaging.pseudonym import MAX_SHIFT_DAYS, MIN_SHIFT_DAYS, Pseudonyms

SECRET = b"an-obviously-synthetic-secret-of-tests"
NAMES = Pseudonyms(SECRET)
UID = "1.2.826.0.1.3680043.8.498.1"


def test_pseudonyms_are_what_they_were() -> None:
    """Stored ones must be found again: the derivation is part of the data. Counted by hand from RFC 2104."""
    digest = hmac.new(SECRET, b"patient|8:Hospital|7:PID-001", hashlib.sha256).digest()
    assert NAMES.patient("Hospital", "PID-001") == "".join(
        "abcdefghijklmnopqrstuvwxyz234567"[int.from_bytes(digest, "big") >> (256 - 5 * (at + 1)) & 31]
        for at in range(26)
    )


def test_each_kind_has_its_own() -> None:
    names = {NAMES.study(UID), NAMES.series(UID), NAMES.instance(UID), NAMES.patient(None, UID), NAMES.uid(UID)}
    assert len(names) == 5
    assert Pseudonyms(SECRET + b"2").study(UID) not in names


def test_no_issuer_is_an_empty_issuer_and_padding_is_no_difference() -> None:
    assert NAMES.patient(None, "7") == NAMES.patient("", "7") == NAMES.patient(" ", " 7 ") == NAMES.patient(None, "7\0")
    assert NAMES.study(UID) == NAMES.study(UID + "\0")
    assert NAMES.uid(UID) == NAMES.uid(UID + " ")
    assert NAMES.patient("A", "7") != NAMES.patient("B", "7")


def test_an_issuer_cannot_be_confused_with_the_id() -> None:
    assert NAMES.patient("a|1:b", "c") != NAMES.patient("a", "b|1:c")
    assert NAMES.patient("ab", "c") != NAMES.patient("a", "bc")


def test_patients_without_an_id_are_known_by_their_study_only() -> None:
    assert NAMES.patient_of(None, "7", UID) == NAMES.patient(None, "7")
    assert NAMES.patient_of(None, " ", UID) == NAMES.patient_of("Hospital", "", UID)
    assert NAMES.patient_of(None, "", UID) != NAMES.patient_of(None, "", UID + ".1")
    with pytest.raises(ValueError, match="nobody"):
        NAMES.patient(None, "  ")


@pytest.mark.parametrize("secret", [b"", b"short", b"x" * 31])
def test_a_short_secret_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonyms(secret)


@given(st.text(max_size=80))
def test_every_value_has_a_name_and_a_valid_uid(value: str) -> None:
    assert re.fullmatch("[a-z2-7]{26}", NAMES.instance(value))
    uid = NAMES.uid(value)
    assert re.fullmatch(r"2\.25\.(0|[1-9][0-9]*)", uid)
    assert len(uid) <= 64
    parsed = uuid.UUID(int=int(uid[5:]))
    assert (parsed.version, parsed.variant) == (8, uuid.RFC_4122)
    assert uid == NAMES.uid(value)


def test_shifts_are_a_persons_own_and_spread_over_the_whole_span() -> None:
    shifts = [NAMES.days(NAMES.patient(None, str(number))) for number in range(4000)]
    assert all(-MAX_SHIFT_DAYS <= shift <= -MIN_SHIFT_DAYS for shift in shifts)
    assert len(set(shifts)) > 2000
    tenths = [sum(-3650 + 328.6 * at <= shift < -3650 + 328.6 * (at + 1) for shift in shifts) for at in range(10)]
    assert min(tenths) > 300, "each tenth of the span is about as likely as another"
    assert NAMES.days("a") == NAMES.days("a") != Pseudonyms(SECRET + b"2").days("a")
