"""The secondary capture: valid, labelled so that one can read it, the map in its place, references that hold."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from cuatro.errors import Rejected
from functions.imaging.own_objects import LABEL, encoded
from functions.imaging.reading import quiet
from functions.imaging.secondary_capture import PANEL, caption, drawn, secondary_capture
from tests.dicom_programs import errors
from tests.unit.imaging_results import deidentified, heatmap, picture, png
from tests.unit.readings import STUDY, progress, read

(ITEM,) = progress(read(1, "pneumonia", 0.913, unsure=True)).items
BAND = 44


def capture(**more: object) -> Dataset:
    with quiet():
        return secondary_capture(ITEM, deidentified(**more), drawn(ITEM, picture(), heatmap()), (STUDY, 1), 1)


@pytest.mark.parametrize("more", [{}, {"StudyDate": "", "StudyTime": "", "PatientSex": ""},
                                  {"LossyImageCompression": "01", "LossyImageCompressionRatio": "10",
                                   "LossyImageCompressionMethod": "ISO_10918_1"}])  # fmt: skip
def test_it_is_valid_by_an_independent_validator(more: dict[str, object], tmp_path: Path) -> None:
    file = tmp_path / "sc.dcm"
    file.write_bytes(encoded(capture(**more)))
    assert errors(file) == []


def test_it_refers_to_its_image_and_says_what_it_is() -> None:
    made, image = capture(), deidentified()
    (source,) = made.SourceImageSequence
    assert (source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID) == (image.SOPClassUID, image.SOPInstanceUID)
    assert made.StudyInstanceUID == image.StudyInstanceUID
    assert made.SeriesInstanceUID != image.SeriesInstanceUID
    assert made.ImageComments == f"{LABEL} - model imaging-1"
    assert list(made.ImageType)[:2] == ["DERIVED", "SECONDARY"]


def test_the_same_picture_is_the_same_bytes() -> None:
    assert encoded(capture()) == encoded(capture())


def test_the_label_is_burned_into_every_picture() -> None:
    """Bright letters of the label's colour in the upper band, others in the lower one; and none between the panels."""
    drawing = drawn(ITEM, picture(), heatmap()).astype(int)
    upper, lower = drawing[:BAND], drawing[-BAND:]
    yellow = (upper[..., 0] > 200) & (upper[..., 1] > 160) & (upper[..., 2] < 120)
    assert yellow.sum() > 500
    assert (lower.min(axis=2) > 180).sum() > 500


@pytest.mark.parametrize(("row", "column"), [(1, 1), (6, 1), (1, 6), (6, 6)])
def test_the_map_is_drawn_where_the_model_looked(row: int, column: int) -> None:
    drawing = drawn(ITEM, picture(), heatmap(row, column)).astype(int)
    width = (drawing.shape[1] - 8) // 2
    left, right = drawing[BAND:-BAND, :width], drawing[BAND:-BAND, width + 8 :]
    assert (left[..., 0] == left[..., 2]).all()  # the image itself stays grey
    hottest = np.unravel_index((right[..., 0] - right[..., 2]).argmax(), right.shape[:2])
    assert abs(hottest[0] / PANEL - (row + 0.5) / 8) < 0.15
    assert abs(hottest[1] / width - (column + 0.5) / 8) < 0.15


@pytest.mark.parametrize(("rows", "columns"), [(2048, 64), (64, 2048), (2048, 2048), (1, 1)])
def test_any_shape_gives_a_picture_of_a_size_that_is_shown(rows: int, columns: int) -> None:
    drawing = drawn(ITEM, picture(rows, columns), heatmap())
    assert drawing.shape[0] == PANEL + 2 * BAND
    assert 640 <= drawing.shape[1] <= 2600
    assert drawing.nbytes < 6_000_000


@pytest.mark.parametrize("image", [b"", b"no picture", picture()[:100], b"GIF89a" + bytes(50)])
def test_what_is_no_picture_is_refused(image: bytes) -> None:
    with pytest.raises(Rejected):
        drawn(ITEM, image, heatmap())


def test_a_picture_too_large_to_show_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(Rejected, match="too large"):
        drawn(ITEM, png(np.zeros((2049, 2049), np.uint8)), heatmap())


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        ("pneumonia", "suggests pneumonia, probability 0.91, unsure"),
        ("normal", "no sign of pneumonia, probability 0.91, unsure"),
        ("not_readable", "not readable, unsure"),
    ],
)
def test_the_caption_says_what_the_model_says(finding: str, words: str) -> None:
    (item,) = progress(read(1, finding, 0.913, unsure=True)).items
    assert caption(item) == f"Model imaging-1: {words}"


def test_pixels_come_back_from_the_file() -> None:
    back = dcmread(BytesIO(encoded(capture())))
    assert (back.pixel_array == drawn(ITEM, picture(), heatmap())).all()
