"""Pictures are as PS3.3 says and as dcmtk draws them: windows, LUTs, inversion, padding, orientation, size."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.pixels.processing import apply_modality_lut, apply_windowing
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from functions.imaging.normalisation import LONGEST_SIDE, picture
from functions.imaging.pixels import stored
from functions.imaging.reading import whole
from tests.dicom_programs import output
from tests.unit.films import MAX, Values, film, sample

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)


def shown(values: Values = RAMP, bits: int = 12, **changes: Any) -> Values:
    return picture(values, film(values, bits, **changes)).image


def table(data: list[int], first: int = 0, bits: int = 16, vr: str = "US") -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(data) % 65536, first, bits])
    item.add_new("LUTData", vr, np.asarray(data, "<u2").tobytes() if vr == "OW" else data)
    return Sequence([item])


def by_pydicom(values: Values, **changes: Any) -> Values:
    """Windowed with pydicom's functions, scaled to 8 bits."""
    dataset = film(values, 12, **changes)
    done = apply_windowing(apply_modality_lut(values, dataset), dataset)
    low, high = (apply_windowing(np.array([each]), dataset)[0] for each in (-1e5, 1e5))
    return np.rint((done - low) / (high - low) * 255)


WINDOWS = [
    {"WindowCenter": 2048, "WindowWidth": 4096}, {"WindowCenter": 1000, "WindowWidth": 500},
    {"WindowCenter": 1000.5, "WindowWidth": 3, "VOILUTFunction": "LINEAR_EXACT"},
    {"WindowCenter": 2000, "WindowWidth": 1200, "VOILUTFunction": "LINEAR_EXACT"},
    {"WindowCenter": 2000, "WindowWidth": 800, "VOILUTFunction": "SIGMOID"},
    {"WindowCenter": [1500, 9], "WindowWidth": [900, 9]},
    {"WindowCenter": 0, "WindowWidth": 1000, "RescaleSlope": 2, "RescaleIntercept": -1024},
]  # fmt: skip


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_windows_are_those_of_the_standard(window: dict[str, Any]) -> None:
    narrow = window["WindowWidth"] == 3  # so many values that not all are black or white
    values = np.arange(997, 1005, dtype=np.uint16).reshape(2, 4) if narrow else RAMP

    assert np.abs(shown(values, **window).astype(int) - by_pydicom(values, **window)).max() <= 1


@pytest.mark.parametrize("name", ["RG1_UNCR.dcm", "RG3_UNCR.dcm"])
def test_films_look_as_dcmtk_draws_them(name: str, tmp_path: Path) -> None:
    """dcm2pnm: the first window, MONOCHROME1 turned; it does not turn films upright."""
    (tmp_path / "film.dcm").write_bytes(sample(name))
    output("dcm2pnm", "--use-window", "1", "--write-raw-pnm", tmp_path / "film.dcm", tmp_path / "film.pgm")
    drawn = np.asarray(Image.open(tmp_path / "film.pgm"), np.int16)
    dataset = whole(sample(name))
    if dataset.PatientOrientation[0] == "R":
        drawn = drawn[:, ::-1]

    made = picture(stored(dataset, max_pixels=10 * MAX), dataset)

    assert made.inverted
    assert np.abs(made.image - drawn).max() <= 1


def test_without_a_window_the_range_that_is_there_is_shown() -> None:
    values = RAMP.copy()
    values[0, 0] = 4095
    dim = values // 8 + 500

    made = shown(dim)
    assert (made.min(), made.max()) == (0, 255)
    assert np.all(np.diff(made.ravel()[1:].astype(int)) >= 0)


def test_a_bright_letter_does_not_make_the_film_dark() -> None:
    values = RAMP // 8
    values[0, :3] = 4095

    assert shown(values)[32, 32] > 100


@pytest.mark.parametrize(
    "window", [{"WindowCenter": 60_000, "WindowWidth": 10}, {"WindowCenter": -900, "WindowWidth": 1}]
)
def test_a_window_that_shows_nothing_is_not_used(window: dict[str, Any]) -> None:
    assert np.array_equal(shown(**window), shown())


@pytest.mark.parametrize(
    "window",
    [
        {"WindowCenter": 7}, {"WindowWidth": 7}, {"WindowCenter": 5, "WindowWidth": 0},
        {"WindowCenter": 5, "WindowWidth": -3}, {"WindowCenter": 5, "WindowWidth": 9, "VOILUTFunction": "CUBIC"},
    ],
)  # fmt: skip
def test_a_window_that_cannot_be_is_not_used(window: dict[str, Any]) -> None:
    assert np.array_equal(shown(**window), shown())


@pytest.mark.parametrize("vr", ["US", "OW"])
def test_a_voi_lut_is_used_before_a_window(vr: str) -> None:
    curve = [round((number / 4095) ** 2 * 65535) for number in range(4096)]

    made = shown(VOILUTSequence=table(curve, vr=vr), WindowCenter=1, WindowWidth=2)
    assert np.abs(made.ravel() - np.rint(np.asarray(curve) / 65535 * 255)).max() <= 1


def test_a_voi_lut_of_8_bits_may_have_more_than_256_entries() -> None:
    curve = [number // 16 for number in range(4096)]

    assert np.array_equal(shown(VOILUTSequence=table(curve, bits=8)), RAMP // 16)


def test_values_beyond_a_lut_have_its_ends() -> None:
    curve = list(range(0, 1000, 10))

    made = shown(VOILUTSequence=table(curve, first=2000)).ravel()
    assert set(made[:2001]) == {0}
    assert set(made[2099:]) == {255}


def test_a_modality_lut_comes_first() -> None:
    made = shown(
        ModalityLUTSequence=table([4095 - number for number in range(4096)]), WindowCenter=2048, WindowWidth=4096
    )

    assert (made[0, 0], made[-1, -1]) == (255, 0)


def test_a_lut_that_is_too_short_is_not_used() -> None:
    short = table([1, 2, 3])
    short[0].LUTDescriptor = [4000, 0, 16]

    assert np.array_equal(shown(VOILUTSequence=short), shown())


@pytest.mark.parametrize("how", [{"PhotometricInterpretation": "MONOCHROME1"}, {"PresentationLUTShape": "INVERSE"}])
def test_what_is_stored_the_other_way_round_is_turned_once(how: dict[str, str]) -> None:
    made = picture(RAMP, film(RAMP, **how, WindowCenter=2048, WindowWidth=4096))

    assert made.inverted
    assert np.array_equal(made.image, 255 - shown(WindowCenter=2048, WindowWidth=4096))
    both = film(RAMP, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE", WindowCenter=2048,
                WindowWidth=4096)  # fmt: skip
    assert np.array_equal(picture(RAMP, both).image, made.image)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_counts_for_nothing(photometric: str) -> None:
    values = RAMP // 4 + 1000
    values[:8] = 4095
    values[8:10] = 4090

    made = shown(values, PhotometricInterpretation=photometric, PixelPaddingValue=4095, PixelPaddingRangeLimit=4090)
    assert not made[:10].any()
    assert made[10:].max() == 255


def test_signed_values_are_shown() -> None:
    values = RAMP.astype(np.int16) - 2048

    assert np.array_equal(shown(values, WindowCenter=0, WindowWidth=4096), shown(WindowCenter=2048, WindowWidth=4096))


def test_colours_become_grey() -> None:
    values = np.zeros((4, 4, 3), np.uint8)
    values[0] = 255
    values[1] = (255, 0, 0)

    made = picture(values, film(RAMP)).image
    assert made[:, 0].tolist() == [255, 76, 0, 0]


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (["L", "F"], lambda x: x), (["R", "F"], lambda x: x[:, ::-1]), (["L", "H"], lambda x: x[::-1]),
        (["R", "H"], lambda x: x[::-1, ::-1]), (["F", "L"], lambda x: x.T), (["H", "L"], lambda x: x.T[::-1]),
        (["F", "R"], lambda x: x.T[:, ::-1]), (["LF", "FR"], lambda x: x), (["A", "F"], lambda x: x),
        ([], lambda x: x), (["X", "Y"], lambda x: x), (["L"], lambda x: x),
    ],
)  # fmt: skip
def test_films_are_upright(orientation: list[str], turned: Any) -> None:
    values = RAMP[:40, :30].copy()

    assert np.array_equal(shown(values, PatientOrientation=orientation), turned(shown(values)))


def test_large_films_become_smaller_and_small_ones_stay() -> None:
    assert shown(np.zeros((3, LONGEST_SIDE), np.uint16)).shape == (3, LONGEST_SIDE)
    assert shown(np.zeros((100, 4 * LONGEST_SIDE), np.uint16)).shape == (25, LONGEST_SIDE)


def test_a_film_of_one_value_is_black() -> None:
    assert not shown(np.full((8, 8), 700, np.uint16)).any()


def test_what_a_file_says_wrongly_is_not_heeded() -> None:
    odd = film(RAMP)
    for name, vr, data in (
        ("WindowCenter", "DS", b"x "),
        ("RescaleSlope", "DS", b"y "),
        ("PixelPaddingValue", "US", b""),
    ):
        odd[name] = RawDataElement(Tag(name), vr, len(data), data, 0, False, True)

    assert np.array_equal(picture(RAMP, odd).image, shown())
