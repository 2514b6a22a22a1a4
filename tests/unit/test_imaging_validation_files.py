"""Files of others, cut files, damaged files: each is read, or not read for a stated reason; nothing else happens."""

from pathlib import Path

import data_store
import numpy as np
import pydicom.data
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from cuatro.errors import Rejected
from functions.imaging.reading import quiet
from functions.imaging.validation import CODES, Valid, validated
from tests.functional.imaging.images import file
from tests.unit.films import film

PYDICOM = Path(pydicom.data.__file__).parent
DATA = Path(data_store.__file__).parent / "data"
CHARSETS = sorted((PYDICOM / "charset_files").glob("*.dcm"))
NO_IMAGES = {".py", ".pyc", ".md", ".txt", ".json"}
FILES = {
    path.relative_to(folder).as_posix(): path
    for folder in (PYDICOM, DATA)
    for path in sorted(folder.rglob("*"))
    if path.is_file() and path.suffix not in NO_IMAGES
}
CR = "test_files/dicomdirtests/77654033/CR"
TAKEN = {
    f"{CR}1/6154": (47, "LL", "OTHER"), f"{CR}2/6247": (47, "AP", "OTHER"), f"{CR}3/6278": (47, "AP", "OTHER"),
    **{f"RG1_{kind}.dcm": (64, "PA", "CHEST") for kind in ("J2KI", "J2KR", "UNCI", "UNCR")},
    **{f"RG3_{kind}.dcm": (25, "AP", "OTHER") for kind in ("J2KI", "J2KR", "UNCI", "UNCR")},
}  # fmt: skip
"""The radiographs among them: age, view, part."""
NOT_TAKEN = {
    "not_dicom": {
        *(f"test_files/{name}" for name in (
            "ExplVR_BigEndNoMeta.dcm", "ExplVR_LitEndNoMeta.dcm", "crayons.icc", "dicomdirtests/TINY_ALPHA/README",
            "no_meta.dcm", "rtplan.dump", "rtstruct.dcm", "rtstruct.dump", "zipMR.gz",
        )),
        "OT-PAL-8-face.dcm",
    },
    "damaged": {"test_files/meta_missing_tsyntax.dcm"},
    "no_pixels": {"charset_files/chrKoreanMulti.dcm"},
    "inconsistent": {"charset_files/chrJapMulti.dcm", "charset_files/chrJapMultiExplicitIR6.dcm"},
    "missing_tag": {
        "charset_files/chrSQEncoding.dcm", "charset_files/chrSQEncoding1.dcm",
        *(f"test_files/dicomdirtests/{name}" for name in (
            "DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-empty.dcm", "DICOMDIR-implicit", "DICOMDIR-nooffset",
            "DICOMDIR-nopatient", "DICOMDIR-reordered", "TINY_ALPHA/DICOMDIR",
        )),
        *(f"test_files/{name}" for name in (
            "UN_sequence.dcm", "empty_charset_LEI.dcm", "nested_priv_SQ.dcm", "no_meta_group_length.dcm", "priv_SQ.dcm",
        )),
        "emri_small_jpeg_2k_lossless_too_short.dcm",
    },
}  # fmt: skip
"""All others are of another SOP class."""


def outcome(content: bytes) -> Valid | str:
    """What is known, or why it is not read; any other exception, or one that quotes, is a fault."""
    try:
        return validated(content)
    except Rejected as error:
        rejected = error
    assert rejected.code in CODES
    assert rejected.__cause__ is None
    return rejected.code


def test_there_are_files() -> None:
    assert len(FILES) > 200
    assert len(CHARSETS) > 15


@pytest.mark.parametrize("name", FILES)
def test_each_of_pydicoms_files_has_its_outcome(name: str) -> None:
    found = outcome(FILES[name].read_bytes())

    if name in TAKEN:
        assert isinstance(found, Valid)
        assert (found.age_years, found.view, found.body_part) == TAKEN[name]
    else:
        stated = next((code for code, names in NOT_TAKEN.items() if name in names), "unsupported_sop_class")
        assert found == stated


@pytest.mark.parametrize("path", CHARSETS, ids=lambda path: path.stem)
def test_names_in_any_character_set_are_no_hindrance(path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """The patient's name and its character sets, as they are in the file, in a radiograph."""
    with quiet():
        other = dcmread(path)
        made = film()
        for name in ("SpecificCharacterSet", "PatientName", "PatientComments"):
            if name in other:
                made[name] = other[name]
        content = file(made)

    assert outcome(content) == outcome(file(film()))
    assert not recwarn.list


def written(syntax: str = "") -> bytes:
    # JPEG 2000 has a smallest size.
    made = film(
        np.full((32, 32), 7, np.uint16) if syntax == JPEG2000Lossless else np.arange(42, dtype=np.uint16).reshape(7, 6)
    )
    if syntax:
        made.compress(syntax, encoding_plugin="pydicom" if syntax == RLELossless else "")
    return file(made)


@pytest.mark.safeguard("164.312(e)(2)(i)")
@pytest.mark.parametrize("syntax", ["", RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_a_file_that_ends_early_is_not_read_wherever_it_ends(syntax: str) -> None:
    content = written(syntax)
    assert isinstance(outcome(content), Valid)

    ends = {end: outcome(content[:end]) for end in range(len(content) - 1)}

    # What ends after the last frame has all of its pixels: eight bytes that say that there are no more.
    read = [end for end, found in ends.items() if isinstance(found, Valid)]
    assert not [end for end in read if end < len(content) - 9]


_FUZZ = settings(
    max_examples=150,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
SEEDS = [written(), written(RLELossless), written(JPEGLSLossless), written(JPEG2000Lossless)]


@_FUZZ
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(132, 2_000), st.binary(min_size=1, max_size=8)), min_size=1, max_size=6),
)
def test_whatever_bytes_are_changed_it_is_read_or_not(seed: bytes, changes: list[tuple[int, bytes]]) -> None:
    content = bytearray(seed)
    for at, change in changes:
        content[at % len(seed) : at % len(seed) + len(change)] = change

    outcome(bytes(content))


@_FUZZ
@given(st.sampled_from(SEEDS), st.integers(0, 2_000), st.integers(0, 200), st.binary(max_size=60))
def test_whatever_is_cut_out_or_put_in_it_is_read_or_not(seed: bytes, at: int, gap: int, more: bytes) -> None:
    start = at % len(seed)

    outcome(seed[:start] + more + seed[start + gap :])


@_FUZZ
@given(st.binary(max_size=600), st.booleans())
def test_noise_is_not_read(noise: bytes, prefixed: bool) -> None:
    assert isinstance(outcome((bytes(128) + b"DICM" if prefixed else b"") + noise), str)
