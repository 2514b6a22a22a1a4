"""Days of the lake's labels and scored posts -> what people say of posts, once a text, and posts nobody labelled."""

import heapq
import logging
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple, TypeVar

import msgspec

from cuatro.events import ZonedTime
from functions.sentiment.features import normalised
from functions.sentiment.lake import LabelRecorded
from models.container.lake import files, parts, unreadable

log = logging.getLogger(__name__)

SCANNED = 50_000
"""Newest lines of a brand's scored posts that are looked through: a sample needs no more."""
UNREAD = ":unsupported"


class Scored(msgspec.Struct, frozen=True, gc=False):
    """What retraining needs of a post in the lake."""

    brand: str
    network: str
    id: str
    text: str
    classified_at: ZonedTime
    language: str = "und"
    backend: str = ""
    repost: bool = False

    @property
    def key(self) -> str:
        """As labels name their post, unless its id is a long one."""
        return f"{self.brand}#{self.network}#{self.id}"


class Labels(NamedTuple):
    """found: in order of time; left_out: why -> how many lines."""

    found: list[LabelRecorded]
    left_out: dict[str, int]


L = TypeVar("L", LabelRecorded, Scored)


def plain(text: str) -> str:
    """A text by which two posts are the same one: as the model reads it, whatever the case."""
    return normalised(text).lower()


def labels(where: str, first: date, last: date, before: datetime) -> Labels:
    """The newest label of each post that was given on the days first..last and before that moment; of a text that
    stands in several posts, the newest of all.

    Raises ValueError when more than one line of a hundred cannot be read, FileNotFoundError for no directory.
    """
    lines = wrong = late = empty = 0
    newest: dict[str, LabelRecorded] = {}
    for label in _decoded(where, "labels", first, last, LabelRecorded):
        lines += 1
        if label is None:
            wrong += 1
        elif label.time >= before:
            late += 1
        elif not plain(label.text):
            empty += 1
        elif label.post not in newest or newest[label.post].time <= label.time:
            newest[label.post] = label
    unreadable(wrong, lines)
    ordered = sorted(newest.values(), key=lambda each: (each.time, each.post))
    once = {plain(each.text): each for each in ordered}
    left_out = {
        "unreadable": wrong,
        "too_late": late,
        "empty": empty,
        "relabelled": lines - wrong - late - empty - len(newest),
        "same_text": len(newest) - len(once),
    }
    return Labels(sorted(once.values(), key=lambda each: (each.time, each.post)), left_out)


def recent(where: str, since: datetime, until: datetime, most: int, without: set[str]) -> list[Scored]:
    """At most `most` posts that were classified in [since, until), the newest days first, drawn by a hash of their key:
    the same lake gives the same posts. Reposts, texts nobody could classify and those in `without` (`plain`) are none.
    """
    drawn: list[tuple[int, str, Scored]] = []
    seen: set[str] = set()
    for brand in parts(where, "scored", "brand"):
        scanned = 0
        for back in range((until.date() - since.date()).days + 1):
            if scanned >= SCANNED:
                break
            # By the day that a post was written on: of what was classified since, some was written before.
            day = until.date() - timedelta(days=back)
            for row in _decoded(where, brand, day, day, Scored):
                scanned += 1
                if row is None or not since <= row.classified_at < until or row.repost or row.backend.endswith(UNREAD):
                    continue
                text = plain(row.text)
                if not text or text in without or text in seen:
                    continue
                seen.add(text)
                place = -int.from_bytes(blake2b(row.key.encode(), digest_size=8).digest())
                (heapq.heappushpop if len(drawn) >= most else heapq.heappush)(drawn, (place, row.key, row))
    return [row for _, _, row in sorted(drawn, key=lambda each: each[:2], reverse=True)]


def _decoded(where: str, kind: str, first: date, last: date, what: type[L]) -> Iterator[L | None]:
    """None for a line that cannot be read."""
    decoder = msgspec.json.Decoder(what)
    for name, content in files(where, kind, first, last):
        for number, line in enumerate(content.split(b"\n"), 1):
            if not line.strip():
                continue
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError as error:
                log.warning("%s, line %d: %s", name, number, error)
                yield None
