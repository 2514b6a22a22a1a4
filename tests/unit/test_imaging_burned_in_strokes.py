"""The second look at pixels: rows of drawn strokes are found without any model, anatomy is not taken for them."""

import numpy as np
import pytest

from functions.imaging.burned_in_strokes import lines
from tests.dicom.radiographs import DEEPEST, chest, drawn, ink

NAME = "PHANTOM^ONE 1957"


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("size", [10, 20, 48])
@pytest.mark.parametrize("value", [0, DEEPEST])
def test_a_name_is_found_at_any_size(size: int, value: int, across: bool) -> None:
    letters = ink(640, NAME, (20, 40), size, across=across)
    found = lines(drawn(chest(640), letters, value))
    rows, columns = np.nonzero(letters > 0.5)
    assert found
    inside = (rows.min() - 24, columns.min() - 24, -rows.max() - 24, -columns.max() - 24)
    for line in found:
        top, left, bottom, right = line.box
        assert all(np.array([top, left, -bottom, -right]) >= inside), "only where the name is"


def test_a_name_in_one_colour_is_found() -> None:
    grey = (chest(400) // 16).astype(np.uint8)
    image = np.repeat(grey[..., None], 3, axis=2)
    image[..., 1][ink(400, NAME, (20, 30), 20) > 0.5] = 255
    assert lines(image)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("side", [224, 512, 900])
def test_ribs_and_noise_are_no_text(side: int, seed: int) -> None:
    assert lines(chest(side, seed)) == []


@pytest.mark.parametrize("marker", ["L", "R", "PA", "AP"])
def test_a_marker_of_a_side_is_no_name(marker: str) -> None:
    assert lines(drawn(chest(600), ink(600, marker, (20, 30), 40))) == []


def test_odd_images_have_no_lines() -> None:
    random = np.random.default_rng(1)
    assert lines(np.zeros((1, 1), np.uint8)) == []
    assert lines(np.full((5, 300), 9, np.uint16)) == []
    assert lines(random.integers(0, 4096, (300, 300)).astype(np.uint16)) == []
    grid = np.zeros((400, 400), np.uint16)
    grid[::20], grid[:, ::20] = 3000, 3000
    assert lines(grid) == []
