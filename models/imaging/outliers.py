"""Images of other kinds than a child's frontal chest film -> what the distance must tell apart, by kind.

Drawn ones are seeded; those of other modalities are pydicom's own test files and those of pydicom-data; photographs are
scikit-learn's. None of them is used in fitting anything but where the limit lies is checked with them.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFilter

Image = NDArray[np.uint8]
SIDE = 512
WORDS = ("summary", "findings", "impression", "no", "acute", "process", "see", "note", "page", "signed", "today")
PACKAGED = {
    "ct": ("CT_small.dcm", "693_UNCI.dcm", "explicit_VR-UN.dcm", "J2K_pixelrep_mismatch.dcm"),
    "mr": ("MR2_UNCI.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm", "examples_overlay.dcm"),
    "ultrasound": ("US1_UNCI.dcm", "gdcm-US-ALOKA-16.dcm", "examples_rgb_color.dcm"),
    "bone_scan": ("JPEG2000_UNC.dcm",),
    "extremity": ("RG3_UNCI.dcm",),
}
"""Test files by kind."""
ADULT = "RG1_UNCI.dcm"
"""A frontal chest film of pydicom-data's, without an age; of an adult, by its looks."""


def drawn(rng: np.random.Generator, each: int = 8) -> dict[str, list[Image]]:
    """Noise, pages of text, blank and shaded images, patterns, synthetic mammograms: `each` of a kind."""
    makers = {
        "noise": _noise, "text_page": _page, "gradient": _gradient, "pattern": _pattern, "mammogram": _mammogram,
    }  # fmt: skip
    return {kind: [make(rng) for _ in range(each)] for kind, make in makers.items()}


def spoiled(films: NDArray[np.uint8]) -> dict[str, list[Image]]:
    """Real films [n, s, s] as they must not come: inverted, lying on a side, upside down."""
    return {
        "inverted": [255 - film for film in films],
        "lying": [np.rot90(film, 1 + 2 * (at % 2)).copy() for at, film in enumerate(films)],
        "upside_down": [film[::-1].copy() for film in films],
    }


def photographs(rng: np.random.Generator, each: int = 8) -> list[Image]:
    """Square cuts of scikit-learn's two sample photographs, grey."""
    from sklearn.datasets import load_sample_images  # type: ignore[import-untyped]  # noqa: PLC0415

    found = []
    for at in range(each):
        photo = load_sample_images().images[at % 2]
        side = int(rng.integers(200, 420))
        top, left = (int(rng.integers(0, size - side)) for size in photo.shape[:2])
        found.append(np.asarray(Pillow.fromarray(photo[top : top + side, left : left + side]).convert("L")))
    return found


def packaged() -> Iterator[tuple[str, str, Image]]:
    """Kind, file name and image, as it would be shown, of every file of PACKAGED that is installed."""
    for kind, names in PACKAGED.items():
        for name in names:
            if (image := shown(name)) is not None:
                yield kind, name, image


def shown(name: str) -> Image | None:
    """A test file of pydicom's as grey 8 bits, windowed as it says; None where it is not installed."""
    from pydicom import dcmread  # noqa: PLC0415 - pydicom is needed for these alone
    from pydicom.data import get_testdata_file  # noqa: PLC0415
    from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut  # noqa: PLC0415

    path = get_testdata_file(name, download=False)
    if path is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(Path(str(path)))
        values = dataset.pixel_array
        if dataset.SamplesPerPixel > 1 or values.ndim > 2:
            values = values.reshape(*values.shape[:2], -1).mean(axis=2)
        elif dataset.PhotometricInterpretation.startswith("MONOCHROME"):
            values = apply_voi_lut(apply_modality_lut(values, dataset), dataset)
    low, high = np.percentile(values, (0.5, 99.5))
    grey = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        grey = 1 - grey
    return np.asarray(grey * 255, np.uint8)


def _noise(rng: np.random.Generator) -> Image:
    coarse = int(rng.choice(np.array([1, 2, 8, 32])))
    small = rng.normal(128, rng.uniform(20, 80), (SIDE // coarse, SIDE // coarse))
    film = Pillow.fromarray(np.clip(small, 0, 255).astype(np.uint8))
    return np.asarray(film.resize((SIDE, SIDE), Pillow.Resampling.BICUBIC))


def _page(rng: np.random.Generator) -> Image:
    dark = rng.random() < 0.5
    page = Pillow.new("L", (SIDE, SIDE), 20 if dark else 245)
    drawing = ImageDraw.Draw(page)
    size = float(rng.uniform(10, 22))
    for y in np.arange(20, SIDE - 30, size * 1.6):
        line = " ".join(rng.choice(np.array(WORDS), int(rng.integers(3, 11))))
        drawing.text((24, y), line, fill=230 if dark else 15, font_size=size)
    return np.asarray(page)


def _gradient(rng: np.random.Generator) -> Image:
    angle = rng.uniform(0, 2 * np.pi)
    line = np.linspace(-1, 1, SIDE)
    values = 128 + rng.uniform(0, 120) * (np.cos(angle) * line[None] + np.sin(angle) * line[:, None])
    return np.asarray(np.clip(values + rng.normal(0, 2, (SIDE, SIDE)), 0, 255), np.uint8)


def _pattern(rng: np.random.Generator) -> Image:
    period, line = rng.uniform(8, 80), np.arange(SIDE)
    wave = np.sin(2 * np.pi * line / period)
    values = wave[None] * (wave[:, None] if rng.random() < 0.5 else 1)
    return np.asarray(127 + 120 * np.broadcast_to(values, (SIDE, SIDE)), np.uint8)


def _mammogram(rng: np.random.Generator) -> Image:
    """Half an ellipse of mottled tissue at one side of a black film."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    inside = (x / rng.uniform(0.45, 0.8)) ** 2 + ((y - 0.5) / rng.uniform(0.3, 0.48)) ** 2
    mottle = Pillow.fromarray(rng.normal(128, 60, (32, 32)).clip(0, 255).astype(np.uint8))
    tissue = np.asarray(mottle.resize((SIDE, SIDE), Pillow.Resampling.BICUBIC), np.float32)
    values = np.where(inside < 1, 60 + 0.6 * tissue * np.sqrt(np.clip(1 - inside, 0, 1)), 4)
    film = Pillow.fromarray(values.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(2))
    return np.asarray(film)[:, ::-1] if rng.random() < 0.5 else np.asarray(film)
