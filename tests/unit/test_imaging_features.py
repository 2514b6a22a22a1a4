"""What the model takes, whatever an image's size, aspect ratio and window; and the heat map that goes back over it."""

import numpy as np
import pytest
from PIL import Image

from functions.imaging.activation import FULL, LONGEST, blank, heat
from functions.imaging.features import SIDE, SMALLEST, prepared, resized, stretched


def scene(height: int, width: int) -> np.ndarray:
    """Smooth hills, the same whatever the size."""
    y, x = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)[None]
    return np.rint(127 + 60 * np.sin(7 * x + 2) + 60 * np.cos(5 * y * (1 + x))).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("shape", [(64, 64), (224, 224), (225, 447), (500, 1300), (2048, 1700), (97, 2047), (448, 900)])
def test_every_size_becomes_the_same_square(shape: tuple[int, int]) -> None:
    given = prepared(scene(*shape))
    assert (given.shape, given.dtype) == ((1, 1, SIDE, SIDE), np.uint8)
    expected = prepared(scene(SIDE, SIDE))
    assert np.abs(given.astype(int) - expected).mean() < 3


def test_an_image_of_the_models_size_keeps_its_pixels() -> None:
    image = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE)).astype(np.uint8)
    np.testing.assert_allclose(resized(image), image, atol=1e-4)


@pytest.mark.parametrize("shape", [(300, 500), (600, 450), (1000, 900)])
def test_it_shrinks_as_pillow_does(shape: tuple[int, int]) -> None:
    image = scene(*shape)
    theirs = np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR), float)
    assert np.abs(resized(image) - theirs).max() < 2.5


def test_fine_patterns_are_averaged_not_sampled() -> None:
    """A line in two: with single pixels picked out, this would be stripes."""
    stripes = np.zeros((1800, 1800), np.uint8)
    stripes[::2] = 200
    np.testing.assert_allclose(resized(stripes), 100, atol=2)


@pytest.mark.parametrize(("gain", "offset"), [(0.3, 90), (0.5, 0), (0.9, 20)])
def test_the_window_tells_nothing(gain: float, offset: int) -> None:
    image = scene(400, 400)
    darker = np.rint(image * gain + offset).astype(np.uint8)
    assert np.abs(prepared(darker).astype(int) - prepared(image)).max() < 6


def test_a_few_letters_do_not_change_the_rest() -> None:
    image = (scene(400, 400) * 0.5).astype(np.uint8)
    marked = image.copy()
    marked[10:22, 10:30] = 255
    away = np.abs(prepared(marked).astype(int) - prepared(image))[0, 0, 40:, 40:]
    assert away.max() < 8


def test_an_image_of_one_value_becomes_black() -> None:
    assert prepared(np.full((99, 130), 77, np.uint8)).max() == 0
    assert stretched(np.zeros((3, 3), np.float32)).max() == 0


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((SMALLEST - 1, 500), np.uint8),
        np.zeros((300, 300, 3), np.uint8),
        np.zeros((300, 300), np.float32),
        np.zeros((0, 0), np.uint8),
    ],
)  # fmt: skip
def test_what_is_no_grey_image_is_told(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="no uint8 image"):
        prepared(image)


def test_the_heat_map_has_the_images_aspect_ratio_and_lies_where_the_evidence_is() -> None:
    cam = np.full((7, 7), -3, np.float32)
    cam[1, 5] = FULL
    made = heat(cam, 1200, 600)
    assert made.shape == (LONGEST, LONGEST // 2)
    row, column = np.unravel_index(made.argmax(), made.shape)
    assert (row * 7 // made.shape[0], column * 7 // made.shape[1]) == (1, 5)
    assert made[row, column] > 240
    assert made[300:, :100].max() == 0


def test_faint_evidence_looks_faint_and_strong_evidence_is_not_cut_off() -> None:
    cam = np.linspace(0, 3 * FULL, 49, dtype=np.float32).reshape(7, 7)
    assert heat(cam / 12, 300, 300).max() == pytest.approx(255 / 4, abs=2)
    strong = heat(cam, 300, 300)
    assert strong.max() == 255
    assert len(np.unique(strong)) > 100
    assert heat(cam, 300, 300).shape == (300, 300)


def test_what_was_not_read_has_a_black_map() -> None:
    made = blank(2048, 1024)
    assert (made.shape, made.max()) == ((512, 256), 0)
    assert heat(np.full((7, 7), -1, np.float32), 64, 100).max() == 0
