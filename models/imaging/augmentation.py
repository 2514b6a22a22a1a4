"""A radiograph and a random generator -> the same patient as another hospital might have filmed and exported him.

What a reading must not depend on: how the child lay and how the film was cropped, the aspect ratio, exposure and
window, sharpness and noise, compression, bars beside the film, letters on it and black boxes where letters were.
Values are 0..255 throughout; the last step is that of serving (features.stretched).
"""

import io
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFilter

from functions.imaging.features import SIDE, stretched

Image = NDArray[np.uint8]
Random = np.random.Generator
LETTERS = ("R", "L", "AP", "PA", "SUPINE", "PORTABLE", "RT", "12:40")


def augmented(image: Image, rng: Random, strength: float = 1.0) -> Image:
    """uint8 [s, s], as `prepared` gives it -> uint8 [SIDE, SIDE]. strength: 0 changes nothing, 1 is for training."""
    if not strength:
        return image
    film = geometry(Pillow.fromarray(image), rng, strength)
    for chance, change in _STEPS:
        if rng.random() < chance * strength:
            film = change(film, rng, strength)
    return stretched(np.asarray(film, np.float32))


def geometry(film: Pillow.Image, rng: Random, strength: float) -> Pillow.Image:
    """Mirrored, turned, shifted, cropped or shrunk, another aspect ratio; what lies outside is black or a grey."""
    if rng.random() < 0.5:
        film = film.transpose(Pillow.Transpose.FLIP_LEFT_RIGHT)
    turn = math.radians(rng.normal(0, 6) * strength)
    zoom = math.exp(rng.uniform(-0.12, 0.28) * strength)  # above 1: a crop
    aspect = math.exp(rng.uniform(-0.16, 0.16) * strength)
    shear = rng.normal(0, 0.03) * strength
    across, down = zoom * aspect, zoom / aspect
    cos, sin = math.cos(turn), math.sin(turn)
    a, b = cos / across, (sin + shear) / across
    d, e = -sin / down, cos / down
    # The crop stays on the film as far as it can: what matters is not cut off by the shift alone.
    reach = 0.06 + 0.4 * max(zoom - 1, 0)
    middle = SIDE / 2
    x, y = (middle + rng.uniform(-reach, reach) * SIDE * strength for _ in range(2))
    matrix = (a, b, x - a * middle - b * middle, d, e, y - d * middle - e * middle)
    outside = 0 if rng.random() < 0.7 else int(rng.integers(0, 90))
    return film.transform((SIDE, SIDE), Pillow.Transform.AFFINE, matrix, Pillow.Resampling.BICUBIC, fillcolor=outside)


def tone(film: Pillow.Image, rng: Random, strength: float) -> Pillow.Image:
    """Another exposure and window: gamma, an S-curve, and ends that are cut off."""
    x = np.linspace(0, 1, 256)
    x **= math.exp(rng.normal(0, 0.4) * strength)
    steep = rng.normal(0, 0.8) * strength
    if abs(steep) > 0.05:
        curve = 1 / (1 + np.exp(-3 * abs(steep) * (x - rng.uniform(0.35, 0.65))))
        curve = (curve - curve[0]) / (curve[-1] - curve[0])
        x = curve if steep > 0 else 2 * x - curve
    low, high = rng.uniform(0, 0.12) * strength, 1 - rng.uniform(0, 0.15) * strength
    table = np.clip((x - low) / (high - low), 0, 1) * 255
    return film.point([round(value) for value in table])


def shading(film: Pillow.Image, rng: Random, strength: float) -> Pillow.Image:
    """One side darker than the other: the tube stood askew, or the heel effect."""
    angle = rng.uniform(0, 2 * math.pi)
    line = np.linspace(-0.5, 0.5, SIDE)
    slope = math.cos(angle) * line[None] + math.sin(angle) * line[:, None]
    values = np.asarray(film, np.float32) * (1 + slope * rng.uniform(0, 0.5) * strength)
    return Pillow.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def sharpness(film: Pillow.Image, rng: Random, strength: float) -> Pillow.Image:
    """Blurred, seen at a lower resolution, or with its edges enhanced."""
    match rng.integers(3):
        case 0:
            return film.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.6) * strength))
        case 1:
            side = round(SIDE * (1 - rng.uniform(0.1, 0.6) * strength))
            ways = (Pillow.Resampling.BILINEAR, Pillow.Resampling.BICUBIC, Pillow.Resampling.NEAREST)
            down, up = (ways[int(rng.integers(len(ways)))] for _ in range(2))
            return film.resize((side, side), down).resize((SIDE, SIDE), up)
        case _:
            return film.filter(ImageFilter.UnsharpMask(rng.uniform(1, 8), int(rng.uniform(40, 160) * strength), 0))


def noise(film: Pillow.Image, rng: Random, strength: float) -> Pillow.Image:
    """Quantum noise, finer or coarser."""
    values = rng.normal(0, rng.uniform(2, 12) * strength, (SIDE, SIDE))
    if rng.random() < 0.4:
        small = Pillow.fromarray(values[: SIDE // 2, : SIDE // 2].astype(np.float32))
        values = np.asarray(small.resize((SIDE, SIDE), Pillow.Resampling.BILINEAR))
    return Pillow.fromarray(np.clip(np.asarray(film, np.float32) + values, 0, 255).astype(np.uint8))


def compression(film: Pillow.Image, rng: Random, strength: float) -> Pillow.Image:
    """JPEG."""
    stream = io.BytesIO()
    film.save(stream, "JPEG", quality=int(95 - rng.uniform(0, 65) * strength))
    with Pillow.open(stream) as opened:
        return opened.convert("L")


def bars(film: Pillow.Image, rng: Random, strength: float) -> Pillow.Image:
    """Black, white or grey beside the film, on one to four sides."""
    film, drawing = film.copy(), None
    drawing = ImageDraw.Draw(film)
    shade = int(rng.choice(np.array([0, 0, 0, 255, int(rng.integers(0, 256))])))
    for side in rng.permutation(4)[: rng.integers(1, 5)]:
        width = round(SIDE * rng.uniform(0, 0.1) * strength)
        if width:
            drawing.rectangle(
                [(0, 0, SIDE, width - 1), (0, SIDE - width, SIDE, SIDE), (0, 0, width - 1, SIDE),
                 (SIDE - width, 0, SIDE, SIDE)][side],
                fill=shade,
            )  # fmt: skip
    return film


def markers(film: Pillow.Image, rng: Random, strength: float) -> Pillow.Image:
    """Letters near the edge, or boxes where de-identification took letters away."""
    film = film.copy()
    drawing = ImageDraw.Draw(film)
    for _ in range(int(rng.integers(1, 4))):
        across, down = (rng.uniform(0, 0.22) if rng.random() < 0.5 else rng.uniform(0.72, 0.95) for _ in range(2))
        x, y = int(across * SIDE), int((down if rng.random() < 0.7 else rng.random()) * SIDE)
        if rng.random() < 0.5:
            shade = int(rng.choice([0, 0, 255, 128]))
            width, height = (int(SIDE * rng.uniform(0.02, 0.18) * strength) for _ in range(2))
            drawing.rectangle((x, y, x + width, y + height // 2), fill=shade)
        else:
            drawing.text((x, y), str(rng.choice(LETTERS)), fill=int(rng.integers(150, 256)))
    return film


_STEPS: tuple[tuple[float, Callable[[Pillow.Image, Random, float], Pillow.Image]], ...] = (
    (0.8, tone),
    (0.3, shading),
    (0.5, sharpness),
    (0.3, noise),
    (0.3, compression),
    (0.2, bars),
    (0.3, markers),
)
"""How often each happens to an image, in this order."""
