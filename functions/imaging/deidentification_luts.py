"""Look-up tables of a sender -> the ones that are curves, as numbers; a table that is none could be a message.

Without them an image would not look as it did. Explanations of tables are free text and stay behind.
"""

from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from functions.imaging.deidentification_values import numbers, term, values

_KINDS = {"ModalityLUTSequence": "US", "VOILUTSequence": None}
"""Sequences that hold tables, and what the type of a modality LUT becomes where it is not a defined term."""
_TYPES = ("OD", "HU", "US")
_MAX_ENTRIES = 65536


def keep_luts(made: Dataset, original: Dataset) -> None:
    """Add the tables of `original` that only ever rise or only ever fall to `made`, in place."""
    for keyword, kind in _KINDS.items():
        for item in values(original, keyword)[:1]:
            table = _table(item, kind) if isinstance(item, Dataset) else None
            if table is not None:
                setattr(made, keyword, Sequence([table]))


def _table(item: Dataset, kind: str | None) -> Dataset | None:
    descriptor = [int(each) for each in numbers(item, "LUTDescriptor", (-32768, 65535))]
    entries = _entries(item)
    if len(descriptor) != 3 or not 8 <= descriptor[2] <= 16 or len(entries) != (descriptor[0] or _MAX_ENTRIES):
        return None
    steps = np.diff(entries)
    if entries.max() >= 1 << descriptor[2] or not ((steps >= 0).all() or (steps <= 0).all()):
        return None
    table = Dataset()
    table.add_new("LUTDescriptor", "SS" if descriptor[1] < 0 else "US", _signed(descriptor))
    if kind is not None:
        table.ModalityLUTType = term(item, "ModalityLUTType", _TYPES) or kind
    table.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return table


def _signed(descriptor: list[int]) -> list[int]:
    """65536 entries are written as 0; with a negative first value the count is stored as if it were signed."""
    count = descriptor[0] % _MAX_ENTRIES
    return [count - _MAX_ENTRIES if descriptor[1] < 0 and count >= 32768 else count, *descriptor[1:]]


def _entries(item: Dataset) -> Any:
    """LUT data as int64, also where it came as bytes; empty for what is none."""
    given = values(item, "LUTData")
    if len(given) == 1 and isinstance(given[0], (bytes, bytearray)):
        given = np.frombuffer(bytes(given[0][: len(given[0]) // 2 * 2]), "<u2").tolist()
    try:
        found = np.asarray(given, dtype=np.int64)
    except (TypeError, ValueError, OverflowError):
        return np.empty(0, np.int64)
    return found if found.size and found.min() >= 0 else np.empty(0, np.int64)
