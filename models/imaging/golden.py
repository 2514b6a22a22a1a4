"""A seed -> drawn images on which the file's arithmetic is tested: the training images stay where they are.

With numpy alone, so that no other library's version moves a pixel. Two dark fields in a bright trunk with ribs: enough
like a chest that the answers differ from image to image; what the model knows of chests, they do not tell.
"""

import numpy as np
from numpy.typing import NDArray

SEED, COUNT = 11, 16
SIDE = 320


def golden_images() -> list[NDArray[np.uint8]]:
    """COUNT images, uint8 [SIDE, SIDE]."""
    rng = np.random.default_rng(SEED)
    return [_chest(rng) for _ in range(COUNT)]


def _chest(rng: np.random.Generator) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    wide, high = rng.uniform(0.13, 0.19), rng.uniform(0.26, 0.36)
    trunk = 1 / (1 + np.exp((np.abs(x - 0.5) - rng.uniform(0.36, 0.44)) * 40))
    film = trunk * 170
    for middle in (0.5 - rng.uniform(0.17, 0.2), 0.5 + rng.uniform(0.17, 0.2)):
        inside = ((x - middle) / wide) ** 2 + ((y - 0.45) / high) ** 2
        film -= 120 / (1 + np.exp((inside - 1) * 8))
    ribs = np.sin((y + 0.8 * (x - 0.5) ** 2) * rng.uniform(50, 65) + rng.uniform(0, 6))
    film += trunk * 14 * ribs
    if rng.random() < 0.5:
        cx, cy, size = rng.uniform(0.25, 0.75), rng.uniform(0.3, 0.6), rng.uniform(0.05, 0.12)
        film += 90 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * size**2))
    film += rng.normal(0, 3, film.shape)
    return np.asarray(np.clip(np.rint(film), 0, 255), np.uint8)
