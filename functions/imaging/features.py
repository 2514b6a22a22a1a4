"""Grey image -> the model's input: one preprocessing for training, evaluation and serving.

The image is stretched to a square, whatever its aspect ratio: the public training images come so, what they were before
cannot be told any more, and a film with black bars beside it would be a kind of image that the model never saw. It has
learned from images of many aspect ratios. Then the grey values are stretched between two percentiles, so that neither
the window of the sender nor a few burned-in letters decide how bright the lungs are.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

VERSION = "imaging-1"
"""What a model file must have been trained with."""
SIDE = 224
"""Pixels of each side of the model's input."""
SMALLEST = 64
"""Pixels of the shorter side of an image: with less there is nothing to read."""
LOW, HIGH = 0.5, 99.5
"""Percentiles of the grey values that become black and white."""

Image = NDArray[np.uint8]


def prepared(image: Image) -> Image:
    """uint8 [h, w], bright is dense (MONOCHROME2), upright -> uint8 [1, 1, SIDE, SIDE].

    An image of one grey value becomes black. Raises ValueError for another type or shape, or a side below SMALLEST.
    """
    if image.dtype != np.uint8 or image.ndim != 2 or min(image.shape) < SMALLEST:
        raise ValueError(f"{image.dtype} {image.shape} is no uint8 image of at least {SMALLEST} pixels a side")
    return stretched(resized(image))[None, None]


def resized(image: Image, side: int = SIDE) -> NDArray[np.float32]:
    """[h, w] -> float32 [side, side], by averages where it shrinks and bilinear where it grows; the range stays."""
    rows, columns = (max(1, size // (2 * side)) for size in image.shape)
    height, width = image.shape[0] // rows * rows, image.shape[1] // columns * columns
    # Whole pixels are averaged first: a full film would cost 20 times as much by weights alone. The few lines that are
    # left over at the end (less than one line of the result) are dropped.
    lines = np.zeros((height // rows, width), np.uint16)
    for first in range(rows):
        lines += image[first:height:rows, :width]
    small = np.zeros((height // rows, width // columns), np.float32)
    for first in range(columns):
        small += lines[:, first::columns]
    small /= rows * columns
    return np.asarray(_weights(small.shape[0], side) @ small @ _weights(small.shape[1], side).T, np.float32)


def stretched(image: NDArray[np.float32]) -> Image:
    """Grey values between the percentiles LOW and HIGH -> 0..255."""
    low, high = np.percentile(image, (LOW, HIGH))
    scaled = (image - low) * (255 / max(high - low, 1))
    return np.asarray(np.clip(np.rint(scaled), 0, 255), np.uint8)


@lru_cache(maxsize=16)
def _weights(size: int, side: int) -> NDArray[np.float32]:
    """[side, size]: the triangle filter of an antialiasing resize; rows sum to 1."""
    scale = size / side
    support = max(scale, 1.0)
    centres = (np.arange(side) + 0.5) * scale
    distance = np.abs(np.arange(size)[None] + 0.5 - centres[:, None]) / support
    weights = np.maximum(0, 1 - distance)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
