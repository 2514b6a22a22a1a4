"""What the DICOM header says of an image -> may the model read it, and what speaks for a second look.

The model was made for frontal chest radiographs of children. What is known to be something else is not read at all;
where the header does not say, the model reads and a person looks, since hospitals leave these tags empty all the time.
"""

from typing import Annotated, Literal

import msgspec

MODALITIES = frozenset({"CR", "DX", "RG"})
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
CAPTURED = MODALITIES | {"OT", "SC", "XC"}
"""What secondary captures call themselves: a film that was scanned or photographed. Of a chest, says validation."""
VIEWS = frozenset({"PA", "AP"})
BODY_PART = "CHEST"
SMALLEST = 128
"""Pixels of the shorter side: with less, an infiltrate is a few pixels."""
LONGEST_RATIO = 2.6
"""Of the longer to the shorter side: the model has seen films of up to about that."""

Never = Literal["modality", "view", "body_part", "age", "too_small", "shape"]
"""Why an image is not read."""
Doubt = Literal["secondary_capture", "view_unknown", "body_part_unknown", "age_unknown"]
"""Why a person looks at it in any case."""

Pixels = Annotated[int, msgspec.Meta(ge=1)]


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """What validation and normalisation found. age_years: at the study; None, "" where the header does not say."""

    modality: str
    sop_class: str
    width: Pixels
    height: Pixels
    age_years: int | None = None
    view: str = ""
    body_part: str = ""


def unreadable(image: Image, min_age: int, max_age: int) -> tuple[Never, ...]:
    """Why the model must not read it; nothing if it may. min_age, max_age: years, both inclusive."""
    shorter, longer = sorted((image.width, image.height))
    found: dict[Never, bool] = {
        "modality": image.modality not in (CAPTURED if image.sop_class == SECONDARY_CAPTURE else MODALITIES),
        "view": bool(image.view) and image.view not in VIEWS,
        "body_part": bool(image.body_part) and image.body_part != BODY_PART,
        "age": image.age_years is not None and not min_age <= image.age_years <= max_age,
        "too_small": shorter < SMALLEST,
        "shape": longer > LONGEST_RATIO * shorter,
    }
    return tuple(code for code, holds in found.items() if holds)


def doubts(image: Image) -> tuple[Doubt, ...]:
    """What the header leaves open."""
    found: dict[Doubt, bool] = {
        "secondary_capture": image.sop_class == SECONDARY_CAPTURE,
        "view_unknown": not image.view,
        "body_part_unknown": not image.body_part,
        "age_unknown": image.age_years is None,
    }
    return tuple(code for code, holds in found.items() if holds)
