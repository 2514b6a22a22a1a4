"""A network that shows its newest posts first -> where to go on so that none is missed and few are read twice.

Positions are whole numbers that grow with time (milliseconds, ids). A window is what lies between `seen` (all up to
there is read) and the newest; it is read downwards, page by page, over several polls if it is long.
"""

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

_REMEMBERED = 200
_STUCK = 3


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """high: of the window, all from there on is read; 0: none yet. top: the newest that was met in it.

    recent: positions of the newest that were read, by a short hash of their ids: a search may show a post late, so it
    is asked for more than is new.
    stuck: polls in which the window did not get shorter.
    """

    seen: int
    top: int = 0
    high: int = 0
    recent: dict[str, int] = {}
    stuck: int = 0

    def after(self, page: Mapping[str, int], more: bool, overlap: int = 0) -> "Window":
        """page: id -> position of what was there. more: the network has more, or the page was full.

        overlap: so much before `seen` is read again each time.
        """
        met = self.recent | {digest(each): position for each, position in page.items()}
        recent = dict(sorted(met.items(), key=lambda each: each[1])[-_REMEMBERED:])
        top, low = max([self.top, *page.values()]), min(page.values(), default=0)
        if not page or not more or low <= self.seen - overlap:
            return Window(max(self.seen, top), recent=recent)
        if self.high and low >= self.high:  # the same page again
            if self.stuck + 1 < _STUCK:
                return Window(self.seen, top, self.high, recent, self.stuck + 1)
            return Window(max(self.seen, top), recent=recent)
        return Window(self.seen, top, low, recent)

    def is_new(self, id: str) -> bool:  # noqa: A002 - the field's name
        """Was it not read a moment ago?"""
        return digest(id) not in self.recent

    @property
    def unfinished(self) -> bool:
        """Is there more of it right now? Not if the network answers the same again: then at the next poll."""
        return bool(self.high) and not self.stuck


def digest(id: str) -> str:  # noqa: A002
    """A short hash of an id: 48 bits, among two hundred."""
    return blake2b(id.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def window(cursor: str | None, begin: int) -> Window:
    """From a cursor; begin: `seen` where there is none, or one of another kind."""
    try:
        return msgspec.json.decode(cursor or "", type=Window)
    except msgspec.MsgspecError:
        return Window(begin)


def cursor_of(window: Window) -> str:
    """What is kept of it."""
    return msgspec.json.encode(window).decode()
