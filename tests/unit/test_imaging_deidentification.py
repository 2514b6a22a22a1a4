"""De-identification: nothing that was planted gets out, whatever is said is so, and a study stays one study."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.config import IGNORE
from pydicom.config import settings as pydicom_settings
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from cuatro.errors import Rejected
from functions.imaging.deidentification import deidentified, written
from functions.imaging.pseudonym import Pseudonyms
from tests.dicom.confidentiality import faults
from tests.dicom.planted import DATE, ROOT, WORD, file_of, image, leaks, pixels, planted

NAMES = Pseudonyms(b"an-obviously-synthetic-secret-of-tests")
PATIENT = NAMES.patient(None, "Planted-1")


@pytest.fixture(autouse=True)
def quiet_values() -> Any:
    """As the functions have it: pydicom says nothing of values, in reading as in writing."""
    before = (pydicom_settings.reading_validation_mode, pydicom_settings.writing_validation_mode)
    pydicom_settings.reading_validation_mode = pydicom_settings.writing_validation_mode = IGNORE
    yield
    pydicom_settings.reading_validation_mode, pydicom_settings.writing_validation_mode = before


def clear(original: Dataset, **given: Any) -> Dataset:
    """What leaves, read again."""
    values = given.get("values", pixels())
    made = deidentified(original, values, NAMES, PATIENT, masked=given.get("masked", False))
    return dcmread(BytesIO(written(made)))


@pytest.mark.safeguard("164.312(a)(1)")
def test_nothing_planted_gets_out() -> None:
    original = file_of(planted())
    assert len(leaks(original)) == 10, "all kinds of marks were there to be found"
    made = written(deidentified(dcmread(BytesIO(original)), pixels(), NAMES, PATIENT, masked=False))
    assert leaks(made) == []
    assert faults(made, original) == []


def test_the_independent_check_finds_what_is_wrong() -> None:
    """It is no check if it passes everything: the file as it came has faults of every kind."""
    original = file_of(planted())
    found = " ".join(faults(original, original))
    for kind in (
        "preamble", "file meta", "no group", "representation", "has a value", "free text", "a UID of", "no pseudonym",
        "as it was", "dates are moved by [0]", "an instant", "is not YES", "codes are",
    ):  # fmt: skip
        assert kind in found, kind


def test_pixels_and_what_shows_them_stay() -> None:
    original = image()
    original.WindowCenter, original.WindowWidth, original.PixelSpacing = (
        ["40.5", "600"],
        ["400", "1200"],
        [0.139, 0.139],
    )
    original.RescaleSlope, original.RescaleIntercept, original.KVP = 1, -1024, 70
    original.PixelPaddingValue, original.PatientOrientation, original.InstanceNumber = 4095, ["L", "F"], 3
    made = clear(original)
    assert np.array_equal(made.pixel_array, pixels())
    assert (made.WindowCenter, made.WindowWidth) == ([40.5, 600], [400, 1200])
    assert (made.PixelSpacing, made.RescaleIntercept, made.KVP) == ([0.139, 0.139], -1024, 70)
    assert (made.PixelPaddingValue, made.PatientOrientation, made.InstanceNumber) == (4095, ["L", "F"], 3)
    assert (made.Modality, made.BodyPartExamined, made.ViewPosition, made.PatientSex) == ("DX", "CHEST", "PA", "F")


def test_a_study_stays_together_and_a_patient_one_person() -> None:
    first, second = image(), image()
    second.SOPInstanceUID, second.StudyDate = f"{ROOT}.10", "20240415"
    one, other = clear(first), clear(second)
    assert one.StudyInstanceUID == other.StudyInstanceUID == NAMES.uid(f"{ROOT}.8")
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.PatientID == other.PatientID == PATIENT
    assert int(other.StudyDate) - int(one.StudyDate) != 0
    dates = [np.datetime64(f"{d.StudyDate[:4]}-{d.StudyDate[4:6]}-{d.StudyDate[6:]}") for d in (one, other)]
    assert (dates[1] - dates[0]).astype(int) == 31


def test_the_same_image_gives_the_same_bytes() -> None:
    made = [written(deidentified(image(), pixels(), NAMES, PATIENT, masked=True)) for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("given_age", "born", "seen", "expected"),
    [
        ("007Y", None, None, "007Y"), ("089Y", None, None, "089Y"), ("090Y", None, None, "090Y"),
        ("104Y", None, None, "090Y"), ("018M", None, None, "018M"), ("999M", None, None, "999M"),
        ("", "20170101", "20240315", "007Y"), ("", "20230301", "20240315", "012M"), ("7", "", "", None),
        ("", "20250101", "20240315", None), (WORD, DATE, "20240315", "067Y"), ("", "19200101", "20240101", "090Y"),
        ("", "", "20240315", None),
    ],
)  # fmt: skip
def test_ages_are_kept_up_to_89_years(given_age: str, born: str | None, seen: str | None, expected: str | None) -> None:
    original = image()
    original.PatientAge = given_age
    if born is not None:
        original.PatientBirthDate, original.StudyDate = born, seen
    made = clear(original)
    assert made.get("PatientAge") == expected
    assert not made.PatientBirthDate


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("BodyPartExamined", "MUSTERMANN"), ("ViewPosition", "DOE"), ("PatientSex", "X"), ("KVP", 19570314),
        ("InstanceNumber", 4711123), ("PatientOrientation", ["DOE", "JON"]), ("StudyDate", "19571399"),
        ("StudyDate", "DOE"), ("StudyTime", "JON"), ("PixelSpacing", ["inf", "nan"]), ("WindowCenter", ["40"] * 99),
    ],
)  # fmt: skip
def test_what_is_no_value_of_the_attribute_is_no_value(keyword: str, value: Any) -> None:
    original = image()
    setattr(original, keyword, value)
    made = clear(original)
    assert keyword not in made or not made[keyword].value


def test_bits_that_are_not_stored_are_cleared() -> None:
    """Devices drew overlays, names too, in the upper bits of each pixel."""
    drawn = pixels() | np.uint16(0xA000)
    assert np.array_equal(clear(image(), values=drawn).pixel_array, pixels())
    signed = image()
    signed.PixelRepresentation = 1
    values = (pixels().astype("<i2") - 2048).astype("<i2")
    assert np.array_equal(clear(signed, values=values).pixel_array, values)
    assert np.array_equal(clear(image(), values=pixels().astype(">u2")).pixel_array, pixels())


def _table(data: list[int], bits: int = 12) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(data), 0, bits])
    item.add_new("LUTData", "US", data)
    item.LUTExplanation, item.ModalityLUTType = WORD, WORD.upper()
    return item


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
def test_a_curve_stays_without_its_explanation(keyword: str) -> None:
    original, rising = image(), list(range(0, 4096, 16))
    setattr(original, keyword, Sequence([_table(rising), _table(rising)]))
    (item,) = clear(original)[keyword].value
    assert np.frombuffer(item.LUTData, "<u2").tolist() == rising
    assert item.LUTDescriptor == [256, 0, 12]
    assert "LUTExplanation" not in item
    assert item.get("ModalityLUTType", "US") == "US"


@pytest.mark.parametrize("data", [[80, 108, 97, 110, 116, 101, 100, 0] * 32, [0] * 255 + [4096], [], [*range(255), 0]])
def test_a_table_that_could_be_a_message_does_not_stay(data: list[int]) -> None:
    original = image()
    original.VOILUTSequence = Sequence([_table(data)])
    assert "VOILUTSequence" not in clear(original)


def test_codes_stay_with_our_meaning_when_they_are_known() -> None:
    original = image()
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "816094009", "SCT", WORD
    unknown = Dataset()
    unknown.CodeValue, unknown.CodingSchemeDesignator, unknown.CodeMeaning = WORD.upper(), "SCT", WORD
    original.AnatomicRegionSequence, original.ViewCodeSequence = Sequence([item]), Sequence([unknown])
    made = clear(original)
    assert [each.CodeMeaning for each in made.AnatomicRegionSequence] == ["Chest"]
    assert "ViewCodeSequence" not in made


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"}, "unsupported_sop_class"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, "unsupported_sop_class"),
        ({"SOPClassUID": WORD}, "unsupported_sop_class"),
        ({"StudyInstanceUID": ""}, "missing_uid"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "pixel_data"),
        ({"HighBit": 15}, "pixel_data"),
        ({"BitsStored": 0}, "pixel_data"),
    ],
)
def test_what_cannot_be_de_identified_is_refused_without_a_word_of_it(change: dict[str, Any], code: str) -> None:
    original = image()
    for keyword, value in change.items():
        setattr(original, keyword, value)
    with pytest.raises(Rejected) as refused:
        clear(original)
    assert refused.value.code == code
    assert leaks(str(refused.value).encode()) == []


_RETAINED = (
    "RescaleType", "BodyPartExamined", "StudyDate", "SeriesNumber", "PatientAge", "FrameOfReferenceUID", "WindowCenter",
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(_RETAINED), st.text(max_size=20), max_size=7))
def test_no_text_of_any_kind_gets_out(values: dict[str, str]) -> None:
    original = image()
    for keyword, value in values.items():  # as bytes of a file: pydicom itself makes no such elements
        tag = tag_for_keyword(keyword) or 0
        content = value.encode()
        original[tag] = RawDataElement(BaseTag(tag), dictionary_VR(tag), len(content), content, 0, False, True)
    made = written(deidentified(original, pixels(), NAMES, PATIENT, masked=False))
    usual = written(deidentified(image(), pixels(), NAMES, PATIENT, masked=False))
    assert all(value.encode() not in made or value.encode() in usual for value in values.values() if len(value) > 4)
