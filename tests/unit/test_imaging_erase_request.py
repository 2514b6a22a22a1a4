"""Whose data is erased: a pseudonym, or a number with its issuer; a wrong request is refused and not quoted."""

from typing import Any

import pytest

from cuatro.errors import Rejected
from functions.imaging.erase.request import patient_of, request_of
from functions.imaging.pseudonym import Pseudonyms

NAMES = Pseudonyms(b"the-secret-of-the-pseudonyms-has-32-characters")
PATIENT = NAMES.patient("north", "PHANTOM-1")


def whom(**event: Any) -> str:
    return patient_of(request_of(event), NAMES)


def test_a_number_counts_within_its_issuer() -> None:
    assert whom(patient_id="PHANTOM-1", issuer="north") == PATIENT
    assert whom(patient_id=" PHANTOM-1 ", issuer="north") == PATIENT
    assert whom(patient_id="PHANTOM-1", issuer="south") != PATIENT
    assert whom(patient_id="PHANTOM-1") == NAMES.patient(None, "PHANTOM-1")


def test_a_pseudonym_is_taken_as_it_is() -> None:
    assert whom(patient=PATIENT, by="operator", preview=True) == PATIENT


@pytest.mark.parametrize(
    "event",
    [
        {}, {"patient": ""}, {"patient": "Phantom^One"}, {"patient": PATIENT + "a"}, {"patient_id": " "},
        {"patient": PATIENT, "patient_id": "X"}, {"patient_id": 7}, {"name": "Phantom^One"}, {"preview": "Phantom^One"},
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_and_not_quoted(event: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as rejected:
        whom(**event)

    assert "Phantom" not in f"{rejected.value!r}"
    assert rejected.value.code == "invalid_request"
