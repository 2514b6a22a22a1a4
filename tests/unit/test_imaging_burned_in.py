"""Text in pixels: found at all sizes and places, filled with nothing of it, and anatomy left as it is."""

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from cuatro.adapters.onnx_file import opened
from cuatro.errors import Rejected
from functions.imaging import burned_in
from functions.imaging.burned_in import Box, grown, joined, masked, regions, renderings, share
from functions.imaging.burned_in_cleaning import cleaned
from functions.imaging.burned_in_components import components
from functions.imaging.burned_in_strokes import lines
from tests.dicom.radiographs import DEEPEST, chest, drawn, ink

MODEL = Path(__file__).resolve().parents[2] / "models" / "imaging" / "text.onnx"
NAME = "PHANTOM^ONE 14.03.1957"


@cache
def network() -> Any:
    session = opened(MODEL).session
    return lambda given: session.run(None, {session.get_inputs()[0].name: given})[0]


def nothing(given: np.ndarray) -> np.ndarray:
    """A detector that is blind."""
    return np.zeros((1, 1, *given.shape[2:]), np.float32)


def covered(boxes: list[Box], letters: np.ndarray) -> float:
    """Share of the ink that the boxes cover."""
    inside = np.zeros(letters.shape, bool)
    for box in boxes:
        inside[box.top : box.bottom, box.left : box.right] = True
    return float(inside[letters > 0.5].mean())


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.bool_, st.tuples(st.integers(1, 24), st.integers(1, 24))))
def test_components_are_those_of_scipy(mask: np.ndarray) -> None:
    weight = np.arange(mask.size, dtype=np.float32).reshape(mask.shape)
    found = components(mask, weight)
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    expected = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
        inside = labels == number
        expected.append((rows.start, columns.start, rows.stop, columns.stop, inside.sum(), weight[inside].sum()))
    got = zip(*found.boxes.T, found.areas, found.weights, strict=True)
    assert sorted(tuple(map(float, each)) for each in got) == sorted(tuple(map(float, each)) for each in expected)


@pytest.mark.parametrize(
    ("side", "size", "at", "value", "across"),
    [
        (480, 12, (10, 8), DEEPEST, False), (480, 24, (10, 440), DEEPEST, False), (480, 18, (200, 300), 0, True),
        (640, 16, (300, 300), 0, False), (640, 40, (40, 330), DEEPEST, True), (1000, 14, (700, 960), DEEPEST, False),
    ],
)  # fmt: skip
def test_text_is_covered(side: int, size: int, at: tuple[int, int], value: int, across: bool) -> None:
    letters = ink(side, NAME, at, size, across=across)
    boxes = regions(drawn(chest(side), letters, value), network())
    assert covered(boxes, letters) > 0.98
    assert share(boxes, (side, side)) < 0.25


def test_what_the_network_loses_at_the_end_of_a_line_is_covered_by_its_strokes() -> None:
    letters = ink(640, NAME, (100, 200), 24)
    first = Box(195, 95, 232, 200)
    found = [Box(*line.box) for line in lines(drawn(chest(640), letters))]
    assert covered([first], letters) < 0.5
    assert covered(grown([first], found, (640, 640)), letters) > 0.98
    far = [Box(500, 20, 540, 60)]
    assert grown(far, found, (640, 640)) == far, "a line that the network has nothing of is left for the second look"


def test_text_in_colour_is_covered() -> None:
    grey = (chest(480) // 16).astype(np.uint8)
    letters = ink(480, NAME, (30, 200), 20)
    image = np.repeat(grey[..., None], 3, axis=2)
    image[letters > 0.5] = (200, 40, 40)
    assert covered(regions(image, network()), letters) > 0.98


@pytest.mark.parametrize("seed", range(3))
def test_an_image_without_text_stays_as_it_is(seed: int) -> None:
    values = chest([480, 224, 640][seed], seed)
    clean = cleaned(values, network(), may_mask=True, says_text=False)
    assert (clean.boxes, clean.share) == (0, 0.0)
    assert np.array_equal(clean.values, values)


def test_signed_values_and_inverted_images_are_looked_at_alike() -> None:
    letters = ink(480, NAME, (20, 20), 20)
    image = drawn(chest(), letters)
    for values in ((image.astype(np.int16) - 2048).astype("<i2"), (4095 - image).astype("<u2")):
        clean = cleaned(values, network(), may_mask=True, says_text=True)
        assert clean.boxes >= 1
        assert np.ptp(clean.values.astype(int)) < 2700, "the letters' values are gone"


@given(st.integers(0, 65535), st.integers(0, 65535))
def test_what_fills_a_box_does_not_depend_on_what_was_in_it(one: int, other: int) -> None:
    box, image = Box(4, 4, 12, 20), np.add.outer(np.arange(24), np.arange(24)).astype("<u2")
    made = []
    for value in (one, other):
        given_image = image.copy()
        given_image[4:12, 4:20:3] = value
        made.append(masked(given_image, [box]))
    assert np.array_equal(*made)
    assert len(np.unique(made[0][4:12, 4:20])) == 1
    outside = np.ones(image.shape, bool)
    outside[4:12, 4:20] = False
    assert np.array_equal(made[0][outside], image[outside])


def test_a_box_over_the_whole_image_is_filled_too() -> None:
    assert len(np.unique(masked(chest(32), [Box(0, 0, 32, 32)]))) == 1


_BOXES = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 20), st.integers(1, 20)).map(
        lambda each: Box(each[0], each[1], each[0] + each[2], each[1] + each[3])
    ),
    max_size=12,
)


@given(_BOXES)
def test_joined_boxes_cover_the_same_and_do_not_touch(boxes: list[Box]) -> None:
    made = joined(boxes)
    before, after = (np.zeros((64, 64), int) for _ in range(2))
    for each in boxes:
        before[each.top : each.bottom, each.left : each.right] = 1
    for each in made:
        after[each.top : each.bottom, each.left : each.right] += 1
    assert after.max(initial=0) <= 1
    assert (after >= before).all()
    assert joined(made) == made


def test_renderings_show_what_lies_outside_of_the_anatomy() -> None:
    image = chest(128)
    image[5:7, 5:20] = DEEPEST  # an eighth of a percent of the pixels
    shown = list(renderings(image))
    assert len(shown) == 2
    assert all(each[6, 10, 0] == 255 and each.shape == (128, 128, 3) for each in shown)
    assert list(renderings(np.full((32, 32), 7, np.uint16))) == []
    assert regions(np.full((32, 32), 7, np.uint16), network()) == []


def test_tiles_cover_everything_and_overlap() -> None:
    for length in (1, 960, 961, 1500, 2048, 5000):
        tiles = burned_in._tiles(length)
        assert (tiles[0][0], tiles[-1][1]) == (0, length)
        assert all(end - start <= burned_in.TILE for start, end in tiles)
        assert all(one[1] - other[0] >= burned_in.OVERLAP - 1 for one, other in pairwise(tiles))


@pytest.mark.parametrize(
    ("detector", "may_mask", "says_text", "text", "why"),
    [
        (None, False, False, NAME, "policy"), (None, True, True, "", "none was found"),
        (nothing, True, False, NAME, "still"),
    ],
)  # fmt: skip
def test_an_image_that_cannot_be_cleaned_is_refused(
    detector: Any, may_mask: bool, says_text: bool, text: str, why: str
) -> None:
    values = drawn(chest(), ink(480, text, (20, 20), 24))
    with pytest.raises(Rejected, match=why) as refused:
        cleaned(values, detector or network(), may_mask=may_mask, says_text=says_text)
    assert refused.value.code == "burned_in_text"


def test_an_image_that_is_mostly_text_is_refused() -> None:
    letters = sum(ink(480, "PHANTOM ONE AND SYNTHETIC TWO", (8, 6 + 36 * line), 26) for line in range(13))
    page = drawn(np.full((480, 480), 300, "<u2"), np.clip(letters, 0, 1))
    with pytest.raises(Rejected, match="covers"):
        cleaned(page, network(), may_mask=True, says_text=False)
