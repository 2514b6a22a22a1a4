"""Radiographs that dcmtk has compressed, as hospitals' programs do, come out as they went in."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from cuatro.errors import Rejected
from functions.imaging.pixels import stored
from functions.imaging.reading import whole
from tests.dicom_programs import output
from tests.functional.imaging.images import file
from tests.unit.films import FILM, MAX, Values, film

SYNTAXES = {
    "dcmcjpeg +e1": JPEGLosslessSV1,
    "dcmcjpeg +el": JPEGLossless,
    "dcmcjpls +el": JPEGLSLossless,
    "dcmcrle": RLELossless,
}
DEEP = np.random.default_rng(3).integers(0, 65536, (33, 20), dtype=np.uint16)


def by_dcmtk(program: str, *options: str, source: bytes, folder: Path) -> bytes:
    """What the program makes of the file."""
    plain, made = folder / "plain.dcm", folder / "made.dcm"
    plain.write_bytes(source)
    output(program, *options, plain, made)
    return made.read_bytes()


@pytest.mark.parametrize(
    "command", ["dcmcjpeg +e1", "dcmcjpeg +el", "dcmcjpls +el", "dcmcrle"], ids=lambda each: each.replace(" ", "")
)
@pytest.mark.parametrize(("values", "bits"), [(FILM, 12), (DEEP, 16), (FILM.astype(np.uint8), 8)])
def test_lossless_files_of_dcmtk_come_out(command: str, values: Values, bits: int, tmp_path: Path) -> None:
    made = whole(by_dcmtk(*command.split(), source=file(film(values, bits)), folder=tmp_path))

    assert made.file_meta.TransferSyntaxUID == SYNTAXES[command]
    assert np.array_equal(stored(made, max_pixels=MAX), values)


def test_a_baseline_jpeg_is_near_what_went_in(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(60), np.arange(41)).astype(np.uint8)
    made = by_dcmtk("dcmcjpeg", "+eb", source=file(film(smooth, 8)), folder=tmp_path)

    values = stored(whole(made), max_pixels=MAX)
    assert np.abs(values.astype(int) - smooth).max() <= 6


def test_a_jpeg_of_12_bits_is_refused_by_name(tmp_path: Path) -> None:
    made = whole(by_dcmtk("dcmcjpeg", "+ee", source=file(film()), folder=tmp_path))

    assert made.file_meta.TransferSyntaxUID == JPEGExtended12Bit
    with pytest.raises(Rejected) as rejected:
        stored(made, max_pixels=MAX)
    assert rejected.value.code == "unsupported_transfer_syntax"


def test_a_deflated_file_comes_out(tmp_path: Path) -> None:
    made = by_dcmtk("dcmconv", "+td", source=file(film()), folder=tmp_path)

    assert np.array_equal(stored(whole(made), max_pixels=MAX), FILM)
