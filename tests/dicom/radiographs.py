"""A seed -> a smooth chest-like image without text, and text drawn on it as devices do: known ink to be found."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

DEEPEST = 4095
"""The highest stored value of 12 bits, in which most devices write."""


def chest(side: int = 480, seed: int = 0) -> np.ndarray:
    """Stored values [side, side] of 12 bits: two dark lungs with ribs across, a spine, noise; nothing of it sharp."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    lungs = sum(np.exp(-(((x - at) / 0.13) ** 2 + ((y - 0.5) / 0.26) ** 2)) for at in (0.3, 0.7))
    ribs = 0.5 + 0.5 * np.sin(2 * np.pi * (9 * y + 2 * np.abs(x - 0.5) + random.random()))
    spine = np.exp(-(((x - 0.5) / 0.04) ** 2))
    grey = 500 + 900 * (1 - lungs) + 120 * ribs * lungs + 250 * spine + 200 * y + random.normal(0, 6, (side, side))
    return np.clip(grey, 0, 2600).astype("<u2")


def ink(side: int, text: str, at: tuple[int, int], size: int, *, across: bool = False) -> np.ndarray:
    """Where letters are, 0 to 1, [side, side]. at: left and top; size: of the font, in pixels."""
    drawing = Image.new("L", (side, side))
    ImageDraw.Draw(drawing).text(at, text, 255, ImageFont.load_default(size))
    return np.asarray(drawing.rotate(90) if across else drawing) / 255


def drawn(values: np.ndarray, letters: np.ndarray, value: int = DEEPEST) -> np.ndarray:
    """The image with the letters in one value."""
    return (values * (1 - letters) + value * letters).astype("<u2")
