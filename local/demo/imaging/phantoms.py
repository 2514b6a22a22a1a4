"""Seed -> a drawn chest radiograph: body, spine, ribs, lungs, heart, and opacities where it has a pneumonia.

It looks like one from afar and is nobody's. What a model says about it says nothing about people: phantoms show that
the pipeline works, not that the model does.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Finding = Literal["normal", "pneumonia"]
Picture = npt.NDArray[np.uint16]

BITS = 12
_WORKING = 512


def phantom(seed: int, finding: Finding = "normal", size: tuple[int, int] = (1024, 1024)) -> Picture:
    """uint16[rows, columns] of 12 bits, bright where rays were absorbed (MONOCHROME2); the same for the same seed."""
    random = np.random.default_rng(seed)
    field = _body(random)
    lungs = _lungs(random)
    field -= 0.42 * lungs
    field += 0.10 * _ribs(random) * (0.4 + 0.6 * lungs)
    field += 0.30 * _drawn([(*_at(256, 270), 26, 250)], blur=9)  # spine and mediastinum
    field += 0.30 * _drawn([(*_at(292, 330, random), 74, 84)], blur=12)  # heart
    field += 0.22 * _drawn([(170, 500, 110, 60), (350, 505, 110, 70)], blur=8)  # the diaphragm's domes
    field += 0.035 * _texture(random, 3) * lungs
    if finding == "pneumonia":
        field += _opacities(random, lungs)
    field = np.clip(field + 0.012 * random.standard_normal(field.shape), 0, 1)
    rows, columns = size
    scaled = Image.fromarray((field * 65535).astype(np.uint16)).resize((columns, rows), Image.Resampling.BICUBIC)
    return (np.asarray(scaled, dtype=np.uint16) >> (16 - BITS)).astype(np.uint16)


def _at(x: float, y: float, random: np.random.Generator | None = None) -> tuple[float, float]:
    if random is None:
        return x, y
    return x + float(random.normal(0, 6)), y + float(random.normal(0, 6))


def _drawn(ellipses: list[tuple[float, float, float, float]], blur: float) -> npt.NDArray[np.float64]:
    """float64[512, 512], 1 inside the ellipses (x, y, half width, half height), with a soft edge."""
    canvas = Image.new("L", (_WORKING, _WORKING))
    draw = ImageDraw.Draw(canvas)
    for x, y, wide, high in ellipses:
        draw.ellipse((x - wide, y - high, x + wide, y + high), fill=255)
    return np.asarray(canvas.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float64) / 255


def _body(random: np.random.Generator) -> npt.NDArray[np.float64]:
    wide = 215 + float(random.normal(0, 8))
    trunk = _drawn([(256, 330, wide, 330), (256, 60, 60, 120), (60, 210, 90, 60), (452, 210, 90, 60)], blur=14)
    return 0.03 + 0.62 * np.clip(trunk, 0, 1)


def _lungs(random: np.random.Generator) -> npt.NDArray[np.float64]:
    (rx, ry), (lx, ly) = _at(160, 275, random), _at(352, 275, random)
    return np.clip(_drawn([(rx, ry, 72, 165), (lx, ly, 66, 160)], blur=10), 0, 1)


def _ribs(random: np.random.Generator) -> npt.NDArray[np.float64]:
    canvas = Image.new("L", (_WORKING, _WORKING))
    draw = ImageDraw.Draw(canvas)
    tilt = float(random.normal(0, 3))
    for number in range(9):
        top = 95 + 42 * number + tilt
        draw.arc((60, top, 252, top + 110), 185, 330, fill=255, width=9)
        draw.arc((260, top, 452, top + 110), 210, 355, fill=255, width=9)
    return np.asarray(canvas.filter(ImageFilter.GaussianBlur(2.5)), dtype=np.float64) / 255


def _texture(random: np.random.Generator, blur: float) -> npt.NDArray[np.float64]:
    noise = (random.random((_WORKING, _WORKING)) * 255).astype(np.uint8)
    soft = np.asarray(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(blur)), dtype=np.float64)
    return (soft - soft.mean()) / soft.std()


def _opacities(random: np.random.Generator, lungs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Two to four soft patches within the lungs, most of them low down."""
    patches = []
    for _ in range(int(random.integers(2, 5))):
        x = (160 if random.random() < 0.5 else 352) + float(random.normal(0, 22))
        patches.append((x, 330 + float(random.normal(0, 45)), *map(float, random.uniform(28, 60, 2))))
    patchy = _drawn(patches, blur=16) * (1 + 0.25 * _texture(random, 6))
    return 0.36 * np.clip(patchy, 0, 1.2) * lungs
