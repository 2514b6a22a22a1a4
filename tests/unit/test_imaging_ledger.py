"""The chain: each entry follows the one before; whatever is changed, dropped, added, cut or swapped shows."""

import hashlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuatro.audit import AuditEvent, audit_event
from functions.imaging import ledger
from functions.imaging.ledger import GENESIS, Broken, Entry, Head

NOW = "2026-11-23T10:00:00.000Z"


def events(count: int, first: int = 1) -> list[AuditEvent]:
    return [
        audit_event(
            f"{number:032x}", NOW, "view", f"object{number}", actor="reviewer:one", outcome="success",
            purpose="review", details={"number": number},
        )
        for number in range(first, first + count)
    ]  # fmt: skip


def chain(count: int) -> list[Entry]:
    return ledger.chained(Head(), events(count), NOW)


def hashes(entries: list[Entry]) -> dict[int, str]:
    return {entry.seq: entry.hash for entry in entries}


def test_entries_are_numbered_and_linked() -> None:
    first, second = chain(2)

    assert (first.seq, first.previous) == (1, GENESIS)
    assert (second.seq, second.previous) == (2, first.hash)


def test_a_chain_that_is_continued_is_one_chain() -> None:
    begun = chain(3)
    more = ledger.chained(Head(3, begun[-1].hash), events(2, first=4), NOW)

    assert [*begun, *more] == chain(5)


def test_a_hash_can_be_worked_out_without_this_suite() -> None:
    """JSON with sorted names, no spaces, ASCII; SHA-256 of its bytes."""
    (entry,) = chain(1)
    fields = {name: value for name, value in msgspec.structs.asdict(entry).items() if name != "hash"}

    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == entry.hash


def test_a_sound_chain_has_nothing_broken() -> None:
    entries = chain(20)

    assert not list(ledger.broken(entries))
    assert not list(ledger.broken(entries[7:], Head(7, entries[6].hash)))
    assert not list(ledger.unanchored(hashes(entries), entries[:12]))


@pytest.mark.safeguard("164.312(c)(1)")
@given(st.integers(0, 9), st.sampled_from(["actor", "object", "time", "recorded", "purpose", "correlation", "id"]))
def test_a_changed_word_shows(number: int, field: str) -> None:
    entries = chain(10)
    entries[number] = msgspec.structs.replace(entries[number], **{field: "another"})

    assert list(ledger.broken(entries)) == [Broken(number + 1, "changed")]


@given(st.integers(0, 8))
def test_a_change_with_its_hash_worked_out_anew_shows_in_the_next(number: int) -> None:
    entries = chain(10)
    forged = msgspec.structs.replace(entries[number], actor="somebody-else")
    entries[number] = msgspec.structs.replace(forged, hash=ledger.digest(forged))

    assert list(ledger.broken(entries)) == [Broken(number + 2, "unlinked")]


@given(st.integers(0, 8))
def test_a_dropped_entry_shows(number: int) -> None:
    entries = chain(10)
    del entries[number]

    assert list(ledger.broken(entries)) == [Broken(number + 1, "missing")]


@pytest.mark.safeguard("164.312(c)(2)")
def test_a_chain_written_anew_from_some_entry_on_does_not_fit_its_anchors() -> None:
    entries = chain(10)
    forged = [*entries[:4], *ledger.chained(Head(4, entries[3].hash), events(6, first=105), NOW)]

    assert not list(ledger.broken(forged))
    assert list(ledger.unanchored(hashes(forged), entries[:6])) == [Broken(5, "differs"), Broken(6, "differs")]


def test_a_chain_cut_short_does_not_reach_its_anchors() -> None:
    entries = chain(10)

    assert list(ledger.unanchored(hashes(entries[:7]), entries[:9])) == [Broken(8, "cut"), Broken(9, "cut")]


def test_rows_and_lines_give_the_entries_back() -> None:
    entries = chain(3)
    bare = ledger.chained(Head(), [audit_event("1", NOW, "search", "", actor="", outcome="denied", purpose="")], NOW)

    for each in [*entries, *bare]:
        assert ledger.entry_of(ledger.row(each)) == each
    assert "" not in ledger.row(bare[0]).values(), "an index holds no empty words"
    assert ledger.entries_of(ledger.lines(entries)) == entries


@pytest.mark.parametrize("change", [{"actor": 7}, {"action": "dance"}, {"details": "none"}])
def test_a_row_that_was_never_an_entry_shows_and_does_not_stop_the_chain(change: dict[str, object]) -> None:
    entries = chain(3)
    rows = [ledger.row(entry) for entry in entries]
    rows[1] |= change

    assert list(ledger.broken(map(ledger.entry_of, rows)))[-1] == Broken(2, "changed")


def test_anchors_are_listed_in_their_order() -> None:
    keys = [ledger.anchor_key(entry) for entry in chain(120)]

    assert keys == sorted(keys)
