"""A zip of images in folders NORMAL and PNEUMONIA -> grey images, labels, who the patient is; and who is held out.

The folders may stand anywhere in the zip and be written in any case; what is in neither is passed over. Names of the
public training set (Kermany et al., "Identifying Medical Diagnoses and Treatable Diseases by Image-Based Deep
Learning", Cell 2018) tell the patient: person123_bacteria_456, IM-0115-0001, NORMAL2-IM-0383-0001.
"""

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from functions.imaging.features import SMALLEST

FOLDERS = {"NORMAL": 0, "PNEUMONIA": 1}
KINDS = {"bacteria": 0, "virus": 1}
UNKNOWN_KIND = -1
ENDINGS = {".jpeg", ".jpg", ".png", ".bmp", ".tif", ".tiff"}
HELD_OUT = 0.18
"""Share of the patients that no training sees."""
SEED = 7
MAX_PIXELS = 100_000_000

Image = NDArray[np.uint8]
_PATIENT = re.compile(r"(?:(person)|(?:normal2-)?(im)-)(\d+)", re.IGNORECASE)


class Example(NamedTuple):
    """image: uint8 [h, w]. label: 1 is pneumonia. kind: of KINDS, or UNKNOWN_KIND. patient: whose it is."""

    name: str
    image: Image
    label: int
    kind: int
    patient: str


def read(path: Path, *, skip_bad: bool = False) -> tuple[list[Example], int]:
    """All images in the order of their names, and how many were skipped. Raises ValueError, OSError.

    Without skip_bad, a file that is no image or has a side that is too short is an error, which names it.
    """
    found: list[Example] = []
    bad = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in sorted(archive.infolist(), key=lambda each: each.filename):
                place = PurePosixPath(entry.filename)
                label = label_of(place)
                if label is None or entry.is_dir() or place.suffix.lower() not in ENDINGS or place.name[0] == ".":
                    continue
                try:
                    image = decoded(archive.read(entry), place.name)
                except ValueError:
                    if not skip_bad:
                        raise
                    bad += 1
                else:
                    found.append(Example(place.name, image, label, kind_of(place), patient_of(place)))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, RuntimeError) as error:  # RuntimeError: encrypted
        raise ValueError(f"{path} is no zip file that can be read: {error}") from error
    if not found:
        raise ValueError(f"{path}: no images in folders NORMAL and PNEUMONIA")
    return found, bad


def decoded(content: bytes, name: str) -> Image:
    """A file's bytes -> grey, 8 bits. Raises ValueError."""
    try:
        with Pillow.open(io.BytesIO(content)) as opened:
            if opened.width * opened.height > MAX_PIXELS or min(opened.size) < SMALLEST:
                raise ValueError(f"{name} has {opened.width} x {opened.height} pixels")
            if opened.mode.startswith("I"):  # 16 bits: what matters is between the darkest and the brightest
                wide = np.asarray(opened, np.float64)
                return np.asarray((wide - wide.min()) * (255 / max(np.ptp(wide), 1)), np.uint8)
            return np.asarray(opened.convert("L"))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{name} is no image that can be read: {error}") from error


def label_of(place: PurePosixPath) -> int | None:
    """By the nearest folder above that is named NORMAL or PNEUMONIA; what macOS adds to its zips is none."""
    if "__MACOSX" in place.parts:
        return None
    return next((FOLDERS[part.upper()] for part in reversed(place.parts[:-1]) if part.upper() in FOLDERS), None)


def kind_of(place: PurePosixPath) -> int:
    """Bacterial or viral, where the file's name tells it."""
    return next((kind for word, kind in KINDS.items() if f"_{word}" in place.name.lower()), UNKNOWN_KIND)


def patient_of(place: PurePosixPath) -> str:
    """Files of one number are one patient's, even where they may be of two: no patient is on both sides of a split.

    A name that tells no patient is one by itself.
    """
    found = _PATIENT.match(place.name)
    return f"{(found[1] or found[2]).lower()}{int(found[3])}" if found else place.stem


def held_out(patients: Sequence[str], share: float = HELD_OUT, seed: int = SEED) -> NDArray[np.bool_]:
    """Which images belong to patients that are held out: by a hash of the patient, the same in every run."""
    limit = int(share * 2**32)
    return np.array([_place(patient, seed) < limit for patient in patients], np.bool_)


def _place(patient: str, seed: int) -> int:
    return int.from_bytes(blake2b(f"{seed}|{patient}".encode(), digest_size=4).digest())


def digest(examples: Sequence[Example]) -> str:
    """SHA-256 over names, labels and pixels."""
    found = hashlib.sha256()
    for each in examples:
        found.update(f"{each.name}|{each.label}|{each.image.shape}".encode())
        found.update(each.image.tobytes())
    return found.hexdigest()
