"""PNG bytes -> grey pixels; grey pixels -> PNG bytes."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from cuatro.errors import Rejected

MAX_PIXELS = 2048 * 2048
"""Of what normalisation writes."""


def pixels(content: bytes) -> NDArray[np.uint8]:
    """uint8 [h, w]. Raises Rejected for what normalisation cannot have written."""
    try:
        with Image.open(BytesIO(content), formats=["PNG"]) as opened:
            if opened.mode != "L" or opened.width * opened.height > MAX_PIXELS:
                raise Rejected(f"{opened.mode}, {opened.width} x {opened.height} pixels", code="damaged")
            return np.asarray(opened)
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        raise Rejected("no PNG that can be read", code="damaged") from None


def png(image: NDArray[np.uint8]) -> bytes:
    """uint8 [h, w] -> a PNG of grey values."""
    file = BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()
