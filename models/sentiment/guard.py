"""examples.jsonl -> the guard set: posts with labels that come with the code, which nobody outside can correct.

A flood of wrong labels may look like progress on labels of the same kind; on these it does not.
"""

from functools import cache
from pathlib import Path

from models.sentiment.data import Post, read

PATH = Path(__file__).with_name("examples.jsonl")


@cache
def posts() -> tuple[Post, ...]:
    """Raises ValueError, OSError."""
    return tuple(read(PATH)[0])
