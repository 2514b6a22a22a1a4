"""Stored values and a text detector -> the values with text masked, looked at again by another method; or refused."""

from typing import Final, NamedTuple

from cuatro.errors import Rejected
from functions.imaging.burned_in import Box, Network, grown, masked, regions, share
from functions.imaging.burned_in_strokes import lines
from functions.imaging.pixels import Values

CODE: Final = "burned_in_text"
MOST: Final = 0.25
"""Share of an image: one of which more is text is a page, a screen or a card, and no radiograph."""


class Clean(NamedTuple):
    """values: as stored, text masked. boxes: how many. share: of the image, 0 to 1."""

    values: Values
    boxes: int
    share: float


def cleaned(values: Values, network: Network, *, may_mask: bool, says_text: bool) -> Clean:
    """values: [h, w] or [h, w, 3]. may_mask: else an image with text is refused. says_text: its header does.

    Raises Rejected with code burned_in_text: text may not be masked, is most of the image, is still there afterwards,
    or was not found where the sender says that there is some.
    """
    boxes = regions(values, network)
    if boxes:
        boxes = grown(boxes, [Box(*line.box) for line in lines(values)], values.shape)
    covered = share(boxes, values.shape)
    if boxes and not may_mask:
        raise Rejected(f"has text at {len(boxes)} places, which the policy does not mask", code=CODE)
    if covered > MOST:
        raise Rejected(f"text covers {covered:.0%} of the image", code=CODE)
    if says_text and not boxes:
        raise Rejected("is said to have text burned in, and none was found to mask", code=CODE)
    made = masked(values, boxes)
    if left := lines(made):
        raise Rejected(f"still looks like having {len(left)} lines of text, {len(boxes)} places masked", code=CODE)
    return Clean(made, len(boxes), covered)
