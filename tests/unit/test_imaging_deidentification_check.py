"""The second look at a de-identified data set: what the first let through is found, and the object does not leave."""

from collections.abc import Callable
from typing import Any

import pytest
from pydicom.dataset import Dataset

from cuatro.errors import Rejected
from functions.imaging import deidentification, profile
from functions.imaging.deidentification import deidentified
from functions.imaging.pseudonym import Pseudonyms
from tests.dicom.planted import ROOT, WORD, image, pixels, planted

NAMES = Pseudonyms(b"an-obviously-synthetic-secret-of-tests")
PATIENT = NAMES.patient(None, "Planted-1")

_SPOILED: dict[str, Callable[[Dataset], Any]] = {
    "00080080": lambda made: setattr(made, "InstitutionName", "Hospital"),
    "00080081": lambda made: setattr(made, "InstitutionAddress", ""),
    "00091001": lambda made: made.private_block(9, "X", create=True).add_new(1, "LO", "x") or None,
    "60003000": lambda made: made.add_new(0x60003000, "OW", b"xx"),
    "0020000d": lambda made: setattr(made, "StudyInstanceUID", f"{ROOT}.8"),
    "00080020": lambda made: setattr(made, "StudyDate", "20240315"),
    "00100010": lambda made: setattr(made, "PatientName", f"{WORD}^Phantom"),
    "00080090": lambda made: setattr(made, "ReferringPhysicianName", "Doctor"),
    "00204000": lambda made: setattr(made, "ImageComments", "seen"),
    "00104000": lambda made: setattr(made.DeidentificationMethodCodeSequence[0], "PatientComments", "nested"),
    "00120064": lambda made: delattr(made, "DeidentificationMethodCodeSequence"),
}


@pytest.mark.parametrize("tag", list(_SPOILED))
def test_the_second_look_finds_what_the_first_let_through(tag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = deidentification._said

    def spoiled(made: Dataset) -> None:
        said(made)
        _SPOILED[tag](made)

    monkeypatch.setattr(deidentification, "_said", spoiled)
    with pytest.raises(Rejected) as refused:
        deidentified(image(), pixels(), NAMES, PATIENT, masked=False)
    assert refused.value.code == "not_deidentified"
    assert refused.value.field in {tag, f"{tag[:4]}0010"}
    assert WORD not in str(refused.value)


def test_the_second_look_agrees_with_what_is_made() -> None:
    made = deidentified(planted(), pixels(), NAMES, PATIENT, masked=True)
    assert profile.violations(made, planted()) == []
    assert made.ImageType[0] == "DERIVED"
