"""What is known of a radiograph, every reason for which a file is not read, and that nothing of it is told on."""

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForProcessing,
    EncapsulatedPDFStorage,
    SecondaryCaptureImageStorage,
)

from cuatro.errors import Rejected
from functions.imaging import reading
from functions.imaging.validation import CHEST, CODES, Limits, Valid, validated
from tests.functional.imaging.images import file
from tests.unit.films import compressed, film


def code(content: bytes, limits: Limits = Limits()) -> str:  # noqa: B008 - immutable
    with pytest.raises(Rejected) as rejected:
        validated(content, limits)
    assert rejected.value.__suppress_context__ or rejected.value.__context__ is None
    return rejected.value.code


def coded(value: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", "Phantom^One"
    return Sequence([item])


def test_what_is_known_of_a_radiograph() -> None:
    assert validated(file(film())) == Valid("DX", "1.2.840.10008.5.1.4.1.1.1.1", 60, 41, 1, 4, "AP", "CHEST")


def test_a_capture_of_a_chest_is_taken_and_another_is_not() -> None:
    assert validated(file(film(SOPClassUID=SecondaryCaptureImageStorage, Modality="OT"))).body_part == CHEST
    assert code(file(film(SOPClassUID=SecondaryCaptureImageStorage, BodyPartExamined=""))) == "unsupported_sop_class"


@pytest.mark.parametrize(
    ("age", "years"),
    [("004Y", 4), ("017M", 1), ("023M", 1), ("024M", 2), ("003W", 0), ("400D", 1), ("120Y", 90), ("000D", 0)],
)
def test_ages_are_whole_years_and_never_above_90(age: str, years: int) -> None:
    assert validated(file(film(PatientAge=age))).age_years == years


@pytest.mark.parametrize(
    ("born", "taken", "years"),
    [
        ("20200102", "20240101", 3), ("20200102", "20240102", 4), ("2020.01.02", "20240102", 4),
        ("19000101", "20240101", 90), ("20240103", "20240102", None), ("", "20240102", None),
        ("2020", "20240102", None), ("20200102", "", None),
    ],
)  # fmt: skip
def test_where_no_age_is_told_the_dates_tell_it(born: str, taken: str, years: int | None) -> None:
    for age in ("", "4", "four", "-04Y"):
        assert validated(file(film(PatientAge=age, PatientBirthDate=born, StudyDate=taken))).age_years == years


@pytest.mark.parametrize(
    ("changes", "view"),
    [
        ({"ViewPosition": "pa "}, "PA"), ({"ViewPosition": ""}, ""), ({"ViewPosition": "PHANTOM ONE"}, "OTHER"),
        ({"ViewPosition": "", "ViewCodeSequence": coded("399348003")}, "AP"),
        ({"ViewPosition": "", "ViewCodeSequence": coded("R-10214")}, "PA"),
        ({"ViewPosition": "", "ViewCodeSequence": coded("PHANTOM")}, "OTHER"),
        ({"ViewPosition": "", "ViewCodeSequence": Sequence()}, ""),
    ],
)  # fmt: skip
def test_views_are_terms_of_the_standard_or_other(changes: dict[str, Any], view: str) -> None:
    assert validated(file(film(**changes))).view == view


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"BodyPartExamined": "chest"}, "CHEST"), ({"BodyPartExamined": "HAND"}, "OTHER"),
        ({"BodyPartExamined": "PHANTOM ONE"}, "OTHER"), ({"BodyPartExamined": ""}, ""),
        ({"BodyPartExamined": "", "AnatomicRegionSequence": coded("51185008")}, "CHEST"),
        ({"BodyPartExamined": "", "AnatomicRegionSequence": coded("T-D3000")}, "CHEST"),
        ({"BodyPartExamined": "", "AnatomicRegionSequence": coded("85562004")}, "OTHER"),
        ({"BodyPartExamined": "HAND", "AnatomicRegionSequence": coded("51185008")}, "OTHER"),
    ],
)  # fmt: skip
def test_body_parts_are_the_chest_or_other(changes: dict[str, Any], part: str) -> None:
    assert validated(file(film(**changes))).body_part == part


def test_a_modality_that_is_no_term_is_other() -> None:
    assert validated(file(film(Modality="PHANTOM"))).modality == "OTHER"


def without(name: str) -> bytes:
    made = film()
    delattr(made, name)
    return file(made)


def changed(**changes: Any) -> bytes:
    made = film()
    for name, value in changes.items():
        setattr(made, name, value)
    return file(made)


def cut(count: int) -> bytes:
    return file(film())[:-count]


def other_meta() -> bytes:
    made = film()
    content = file(made)
    uid = str(made.SOPInstanceUID).encode()
    return content.replace(uid, b"9" + uid[1:], 1)


def without_syntax() -> bytes:
    content = file(film())
    return content.replace(b"\x02\x00\x10\x00UI", b"\x02\x00\x11\x00UI", 1)


def deflated(packed: bytes) -> bytes:
    """A file that says that this is its dataset, deflated."""
    made = film()
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    content = file(made)
    return content[: content.index(b"1.2.840.10008.1.2.1.99") + 22] + packed


def inflating(size: int) -> bytes:
    """Zeros of an element that nobody knows."""
    pack = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = b"\x09\x00\x10\x10OB\x00\x00" + (size - 12).to_bytes(4, "little")
    return pack.compress(head) + pack.compress(bytes(size - 12)) + pack.flush()


def many_elements(count: int) -> bytes:
    made = film()
    del made.PixelData
    empty = b"".join(
        b"\x11\x00" + (0x1000 + number % 0xE000).to_bytes(2, "little") + b"SH\0\0" for number in range(count)
    )
    return file(made) + empty


def deep(levels: int) -> bytes:
    """Sequences in sequences, each of undefined length."""
    made = film()
    del made.PixelData
    opened = b"\x11\x00\x10\x10SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * levels
    return file(made) + opened


def wide(size: int) -> bytes:
    """One sequence of tiny items, parsed only when it is looked at."""
    item = b"\xfe\xff\x00\xe0\x00\x00\x00\x00"
    made = film()
    del made.PixelData
    return file(made) + b"\x11\x00\x10\x10SQ\x00\x00" + size.to_bytes(4, "little") + item * (size // 8)


JPEG_HEADER = b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x3c\x00\x29\x01\x01\x11\x00"
REASONS: dict[str, list[tuple[str, Callable[[], bytes]]]] = {
    "not_dicom": [
        ("nothing", lambda: b""), ("a PNG", lambda: b"\x89PNG\r\n\x1a\n" + bytes(400)),
        ("no preamble", lambda: file(film())[132:]), ("zeros", lambda: bytes(5_000)),
    ],
    "damaged": [
        ("no transfer syntax", without_syntax), ("only a prefix", lambda: bytes(128) + b"DICM"),
        ("a deflated file that is none", lambda: deflated(b"\xff" * 100)),
        ("sequences without end", lambda: deep(5_000)),
    ],
    "oversized_header": [
        ("elements without end", lambda: many_elements(60_000)), ("items without end", lambda: wide(9 << 20)),
    ],
    "missing_tag": [
        *((name, lambda name=name: without(name)) for name in (
            "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "Rows", "Columns",
            "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
        )),
        ("a UID that is none", lambda: file(film(StudyInstanceUID="Phantom^One"))),
        ("a UID that is too long", lambda: file(film(StudyInstanceUID="1." + "2" * 63))),
    ],
    "inconsistent": [("another instance in the meta header", other_meta)],
    "unsupported_sop_class": [
        ("CT", lambda: file(film(SOPClassUID=CTImageStorage))),
        ("PDF", lambda: file(film(SOPClassUID=EncapsulatedPDFStorage))),
        ("raw", lambda: file(film(SOPClassUID=DigitalXRayImageStorageForProcessing))),
    ],
    "unsupported_transfer_syntax": [
        ("video", lambda: file(compressed(bytes(8), syntax="1.2.840.10008.1.2.4.100"))),
        ("another", lambda: file(film()).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0")),
    ],
    "unsupported_pixel_format": [("palette", lambda: file(film(PhotometricInterpretation="PALETTE COLOR")))],
    "multi_frame": [("two", lambda: file(film(NumberOfFrames=2)))],
    "too_many_pixels": [("huge", lambda: changed(Rows=30_000, Columns=30_000))],
    "no_pixels": [("none", lambda: without("PixelData"))],
    "truncated": [("short", lambda: cut(100))],
    "pixel_data_length": [("long", lambda: changed(Rows=59))],
    "undecodable": [("only a header", lambda: file(compressed(JPEG_HEADER)))],
}  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "make"),
    [pytest.param(name, make, id=f"{name}: {label}") for name, cases in REASONS.items() for label, make in cases],
)
def test_why_a_file_is_not_read(expected: str, make: Callable[[], bytes]) -> None:
    assert code(make()) == expected


def test_a_deflated_file_is_read_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousandth of the size: deflate is no better than 1 : 1032."""
    monkeypatch.setattr(reading, "MAX_INFLATED", 1 << 20)

    assert code(deflated(inflating((1 << 20) + 1))) == "oversized_header"
    assert code(deflated(inflating(1 << 20))) == "missing_tag"


def test_every_reason_is_shown_to_occur() -> None:
    """Two are given by the handler, which knows of sizes and of objects that are gone."""
    assert set(REASONS) | {"oversized", "gone"} == CODES


def test_limits_are_the_callers() -> None:
    assert code(file(film()), Limits(max_pixels=100)) == "too_many_pixels"
    two = film(np.zeros((8, 8), np.uint8), 8, NumberOfFrames=2)
    two.PixelData = bytes(128)
    assert validated(file(two), Limits(max_frames=2)).frames == 2
