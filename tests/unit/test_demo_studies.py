"""The demo's studies: drawn and borrowed pictures as DICOM of synthetic patients."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from local.demo.imaging.cases import MOST_PICTURES, cases, of_folder
from local.demo.imaging.patients import Patient, radiograph
from local.demo.imaging.phantoms import BITS, phantom
from local.platform.errors import PlatformError

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_a_phantom_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    first, again, other = phantom(1), phantom(1), phantom(2)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.dtype == np.uint16
    assert 2 ** (BITS - 1) < first.max() < 2**BITS


def test_opacities_make_the_lungs_whiter_and_leave_the_rest() -> None:
    normal, ill = (phantom(5, finding, (512, 512)).astype(int) for finding in ("normal", "pneumonia"))
    whiter = ill - normal
    assert whiter[120:440].max() > 2**BITS * 0.1
    assert np.abs(whiter[:60]).max() <= 2**BITS * 0.08  # noise alone


def test_a_radiograph_is_a_file_that_comes_back_as_it_was() -> None:
    picture = phantom(3, size=(300, 200))
    written = BytesIO()
    radiograph(picture, Patient(1, 6, run="r"), NOW).save_as(written, enforce_file_format=True)
    read = dcmread(BytesIO(written.getvalue()))
    assert np.array_equal(read.pixel_array, picture)
    assert (read.PatientAge, read.Modality, read.BodyPartExamined) == ("006Y", "DX", "CHEST")


def test_every_run_has_studies_of_its_own() -> None:
    first, again, other = (list(cases(run, 11, NOW)) for run in ("a", "a", "b"))
    assert [case.study for case in first] == [case.study for case in again]
    every = {case.study for case in [*first, *other]}
    assert len(every) == len(first) + len(other)
    assert all(str(case.dataset.PatientName).startswith("Synthetic") for case in first)


def test_the_burned_in_name_is_in_the_pixels_and_nowhere_said() -> None:
    case = next(case for case in cases("a", 11, NOW) if "in its pixels" in case.shows)
    plain = phantom(11 + 2, "normal", case.dataset.pixel_array.shape)
    added = case.dataset.pixel_array.astype(int) - plain
    assert case.dataset.BurnedInAnnotation == "NO"
    assert (added > 2**BITS * 0.5).sum() > 500


def test_pictures_of_a_folder_are_taken_in_order_and_not_too_many(tmp_path: Path) -> None:
    for number in range(MOST_PICTURES + 2):
        Image.fromarray(np.full((40, 30), number, dtype=np.uint8)).save(tmp_path / f"{number:02d}.png")
    found = list(of_folder(tmp_path, "a", NOW))
    assert [case.shows for case in found] == [f"{number:02d}.png" for number in range(MOST_PICTURES)]
    assert int(found[7].dataset.pixel_array[0, 0]) == 7


def test_a_folder_without_pictures_and_a_picture_that_is_none_say_so(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="has no pictures"):
        list(of_folder(tmp_path, "a", NOW))
    (tmp_path / "a.png").write_bytes(b"not a picture")
    with pytest.raises(PlatformError, match=r"a\.png is not a picture"):
        list(of_folder(tmp_path, "a", NOW))
