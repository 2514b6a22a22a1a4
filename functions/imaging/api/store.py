"""POST /studies: parts of a STOW-RS request -> objects below inbox/, and an answer for each instance.

What cannot be used is put there too: `receive` keeps it, with the reason, where an operator finds it. An instance that
is here already, byte for byte, is answered as stored and not put again; so is a result of ours that comes back.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from cuatro.adapters import blobs
from cuatro.adapters.attributes import Item
from cuatro.adapters.dynamodb import Keys
from cuatro.errors import Rejected, Unavailable
from functions.imaging.api.access import Caller
from functions.imaging.header import FIRST_BYTES, Header, header
from functions.imaging.stow import (
    CANNOT_UNDERSTAND,
    DUPLICATE,
    NOT_AUTHORIZED,
    NOT_SUPPORTED,
    OUT_OF_RESOURCES,
    WRONG_STUDY,
    Failed,
    Part,
    Stored,
)

_PARALLEL = 8


class Outcome(NamedTuple):
    """repeated: of those stored, how many were here already."""

    stored: list[Stored]
    failed: list[Failed]
    repeated: int


class _Given(NamedTuple):
    """One part. identity: the instance's pseudonym, "" for what is no DICOM."""

    content: bytes
    sha256: str
    header: Header | None
    identity: str


def store(parts: Iterable[Part], study_uid: str | None, of: Caller) -> Outcome:
    """study_uid: of the request's path. Raises Unavailable when nothing could be kept."""
    given = [_given(part, of) for part in parts]
    known = _known(given, of)
    wrong = [each for each in given if each.header and study_uid not in {None, each.header.study}]
    others = [each for each in given if each not in wrong]
    verdicts = _verdicts(others, known, of.sender)
    kept = _kept([each for each, (_, to_keep) in zip(others, verdicts, strict=True) if to_keep], of)
    stored: list[Stored] = []
    failed = [_failed(WRONG_STUDY, each) for each in wrong]
    for each, (reason, to_keep) in zip(others, verdicts, strict=True):
        lost = to_keep and each.sha256 not in kept
        if each.header and reason is None and not lost:
            stored.append(Stored(each.header.sop_class, each.header.instance, each.header.study))
        else:
            failed.append(_failed(OUT_OF_RESOURCES if reason is None else reason, each))
    if not stored and failed and all(each.reason == OUT_OF_RESOURCES for each in failed):
        raise Unavailable("no instance could be kept")
    repeated = sum(not to_keep for _, to_keep in verdicts)
    return Outcome(stored, failed, repeated)


def inbox_key(sender: str, sha256: str) -> str:
    """The same for the same bytes of a sender, so that a request that is sent again puts nothing twice."""
    digest = hashlib.sha256(f"{sender}|{sha256}".encode()).digest()
    return f"inbox/{sender}/{base64.b32encode(digest).decode()[:26].lower()}"


def _given(part: Part, of: Caller) -> _Given:
    digest = hashlib.sha256(part.content).hexdigest()
    try:
        found = header(part.content[:FIRST_BYTES])
    except Rejected:
        return _Given(part.content, digest, None, "")
    return _Given(part.content, digest, found, of.pseudonyms.instance(found.instance))


def _known(given: Sequence[_Given], of: Caller) -> dict[str, Item]:
    """Rows of those instances that are here already."""
    wanted = list(dict.fromkeys(each.identity for each in given if each.identity))
    if not wanted:
        return {}
    table = of.setting.instances_table
    found = of.dynamo.read({table: Keys("instance", wanted, ("instance", "h", "o"))})[table]
    if found.unread:
        raise Unavailable("instances could not be looked up")
    return found.items


def _verdicts(given: Sequence[_Given], known: dict[str, Item], sender: str) -> list[tuple[int | None, bool]]:
    """For each: the reason for which it fails, if any, and whether it is to be put into the inbox."""
    seen = {identity: (str(row["h"]), str(row["o"])) for identity, row in known.items()}
    found: list[tuple[int | None, bool]] = []
    for each in given:
        if not each.header:
            found.append((CANNOT_UNDERSTAND, True))
            continue
        before = seen.get(each.identity)
        if each.header.own:  # as stored: a PACS that forwards everything must not see a failure, nor we a new image
            found.append((None, False))
        elif not each.header.is_image:
            found.append((NOT_SUPPORTED, True))
        elif before is None:
            seen[each.identity] = (each.sha256, sender)
            found.append((None, True))
        elif before[0] == each.sha256:
            found.append((None, False))
        else:
            found.append((DUPLICATE if before[1] == sender else NOT_AUTHORIZED, True))
    return found


def _kept(given: Sequence[_Given], of: Caller) -> set[str]:
    """Hashes of what is in the inbox now."""

    def put(each: _Given) -> str | None:
        try:
            blobs.put(of.setting.identified_bucket, inbox_key(of.sender, each.sha256), each.content)
        except Unavailable:
            return None
        return each.sha256

    with ThreadPoolExecutor(_PARALLEL) as threads:
        return {kept for kept in threads.map(put, given) if kept}


def _failed(reason: int, each: _Given) -> Failed:
    return Failed(reason, each.header.sop_class, each.header.instance) if each.header else Failed(reason)
