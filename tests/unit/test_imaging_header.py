"""Beginnings of files -> their UIDs, or a refusal that tells nothing of them; all of the files of pydicom's tests."""

import tracemalloc
import warnings
import zlib
from pathlib import Path

import pydicom.data
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from cuatro.errors import Rejected
from functions.imaging.header import FIRST_BYTES, header, issuer_of
from tests.functional.imaging.images import file, image

GOOD = file(image())
CODES = {"not_dicom", "damaged", "oversized_header", "missing_uid", "invalid_uid"}
FILES = [path for path in sorted(Path(pydicom.data.__file__).parent.rglob("*")) if path.is_file()]


def test_the_header_is_read() -> None:
    wanted = image()
    found = header(GOOD)
    assert found.instance == wanted.SOPInstanceUID
    assert found.study == wanted.StudyInstanceUID
    assert found.series == wanted.SeriesInstanceUID
    assert (found.patient_id, found.modality, found.issuer) == ("PHANTOM-1", "DX", "")


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, JPEG2000Lossless]
)
def test_in_any_transfer_syntax(syntax: str) -> None:
    made = image()
    made.file_meta.TransferSyntaxUID = syntax
    if syntax == JPEG2000Lossless:
        del made.PixelData
    if syntax == ExplicitVRBigEndian:
        made["PixelData"].VR = "OB"
    assert header(file(made)).instance == made.SOPInstanceUID


def test_every_file_of_pydicom_is_an_image_or_refused_in_our_words() -> None:
    good = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in FILES:
            try:
                header(path.read_bytes()[:FIRST_BYTES])
                good += 1
            except Rejected as rejected:
                assert rejected.code in CODES, path  # noqa: PT017
                assert rejected.__cause__ is None or rejected.__suppress_context__, path  # noqa: PT017
    assert good >= 150


def test_a_file_cut_anywhere_before_its_uids_is_refused() -> None:
    end = GOOD.index(image().SeriesInstanceUID.encode())
    for length in range(0, end, 3):
        with pytest.raises(Rejected) as refused:
            header(GOOD[:length])
        assert refused.value.code in CODES


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=12))
def test_a_damaged_file_is_an_image_or_refused(at: int, noise: bytes) -> None:
    try:
        header(GOOD[:at] + noise + GOOD[at + len(noise) :])
    except Rejected as rejected:
        assert rejected.code in CODES  # noqa: PT017


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("StudyInstanceUID", "", "missing_uid"), ("SeriesInstanceUID", "", "missing_uid"),
        ("StudyInstanceUID", "Phantom^One", "invalid_uid"), ("SOPInstanceUID", "1.02", "invalid_uid"),
        ("SOPInstanceUID", "1." + "2" * 70, "invalid_uid"), ("SOPInstanceUID", "1..2", "invalid_uid"),
        ("StudyInstanceUID", "../../etc", "invalid_uid"), ("SOPInstanceUID", ["1.2", "1.3"], "damaged"),
    ],
)  # fmt: skip
def test_a_uid_that_is_none_is_refused_without_being_told(field: str, value: str, code: str) -> None:
    made = image()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        setattr(made, field, value)
        made.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
        content = file(made)
    with pytest.raises(Rejected) as refused:
        header(content)
    assert refused.value.code == code
    assert not value or str(value) not in str(refused.value)


def test_a_modality_that_is_a_name_is_other() -> None:
    made = image()
    made.Modality = "PHANTOM ONE"
    assert header(file(made)).modality == "other"


def test_a_bomb_is_read_no_further_than_its_header() -> None:
    made = image()
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    content = file(made)
    packed = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    meta_end = 132 + 12 + int.from_bytes(content[140:144], "little")
    plain = zlib.decompress(content[meta_end:], -zlib.MAX_WBITS)
    bomb = content[:meta_end] + packed.compress(plain + b"\0" * (64 << 20)) + packed.flush()
    assert len(bomb) < 1 << 20
    tracemalloc.start()
    try:
        assert header(bomb).instance == made.SOPInstanceUID
        assert tracemalloc.get_traced_memory()[1] < 5 * FIRST_BYTES
    finally:
        tracemalloc.stop()


def test_a_patient_counts_within_what_the_file_says_or_the_sender() -> None:
    found = header(file(image()))
    assert issuer_of(found, "north", None) == "north"
    assert issuer_of(found, "north", "HOSPITAL") == "HOSPITAL"
    assert issuer_of(header(file(image(IssuerOfPatientID="FILE"))), "north", "HOSPITAL") == "FILE"
