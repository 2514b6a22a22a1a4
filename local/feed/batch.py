"""Items -> lists of at most so many, in order, made as they are asked for."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items, the last one shorter. Python 3.12 has itertools.batched; 3.11 has not."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
