"""An instance that has come -> what becomes of the rows of Instances and Studies; both hold pseudonyms only.

An instance's row is made once, by the first bytes of its SOP Instance UID (s "arriving"); with the change to "received"
its study counts it, in one transaction, so that a message that comes twice counts nothing twice.
"""

import msgspec

from cuatro.adapters.attributes import Item
from cuatro.adapters.transactions import Update

DAY_S = 86_400
ARRIVING, RECEIVED, READING, REJECTED, ERASED = "arriving", "received", "reading", "rejected", "erased"
GONE = "gone"
"""The bytes were replaced before they were copied: others may take their place."""
BY_STUDY, BY_SENDER, BY_PATIENT = "by_study", "by_sender", "by_patient"


class Arrival(msgspec.Struct, frozen=True):
    """An instance as its rows know it: pseudonyms, the bytes' hash and size, who sent it, unix milliseconds."""

    instance: str
    study: str
    series: str
    patient: str
    sha256: str
    size: int
    sender: str
    modality: str
    at: int
    expires: int


class Begun(msgspec.Struct, frozen=True):
    """The last revision that was begun, and what it reads."""

    revision: int
    instances: list[str]


def row(arrival: Arrival) -> Item:
    """Of the Instances table, before the object is in its place."""
    return {
        "instance": arrival.instance, "study": arrival.study, "series": arrival.series, "p": arrival.patient,
        "s": ARRIVING, "h": arrival.sha256, "z": arrival.size, "o": arrival.sender, "m": arrival.modality,
        "a": arrival.at, "x": arrival.expires,
    }  # fmt: skip


def refusal(  # noqa: PLR0913, PLR0917 - what is known of an object that is no instance
    identity: str, code: str, sender: str, size: int, at: int, expires: int, arrival: Arrival | None
) -> Item:
    """A row of the Instances table for what was refused, by the id of its object below rejected/.

    arrival: where it is known of whom it is, and the study is the sender's.
    """
    known = {"study": arrival.study, "p": arrival.patient} if arrival else {}
    row = {"instance": identity, "s": REJECTED, "why": code, "z": size, "o": sender, "a": at, "x": expires}
    return row | known


def counted(arrival: Arrival, instances: str, studies: str, max_instances: int) -> list[Update]:
    """Two changes, both or none: the instance is there, its study has one more that is to be read.

    The first fails where that was done before; the second where the study is another sender's, is full, or was erased.
    """
    return [
        Update(
            instances,
            {"instance": arrival.instance},
            "SET s = :received",
            {":received": RECEIVED, ":arriving": ARRIVING, ":h": arrival.sha256},
            "s = :arriving AND h = :h",
        ),
        Update(
            studies,
            {"study": arrival.study},
            "SET o = :o, p = if_not_exists(p, :p), t = :t, x = :x, s = :arriving, r = if_not_exists(r, :zero) "
            "ADD c :one, w :one, n :one, m :m",
            {
                ":o": arrival.sender, ":p": arrival.patient, ":t": arrival.at, ":x": arrival.expires,
                ":arriving": ARRIVING, ":erased": ERASED, ":zero": 0, ":one": 1, ":max": max_instances,
                ":m": frozenset({arrival.modality}),
            },
            "attribute_not_exists(study) OR (o = :o AND c < :max AND s <> :erased)",
        ),
    ]  # fmt: skip


def unwelcome(study: Item | None, sender: str, max_instances: int) -> str | None:
    """Why a study takes no instance of this sender, as `counted`'s condition has it: a code."""
    if study is None:
        return None
    if study["o"] != sender:
        return "other_sender"
    if study["s"] == ERASED:
        return "erased"
    return "too_many_instances" if study["c"] >= max_instances else None


def begin(studies: str, study: Item, begun: Begun, waiting: int) -> Update:
    """The next revision is claimed; fails where another has done so. waiting: of its instances, those never begun."""
    return Update(
        studies,
        {"study": study["study"]},
        "SET r = :r, s = :reading, b = :b REMOVE e ADD w :less, n :one",
        {
            ":r": begun.revision, ":was": begun.revision - 1, ":reading": READING, ":erased": ERASED,
            ":b": msgspec.json.encode(begun).decode(), ":less": -waiting, ":one": 1,
        },
        "r = :was AND s <> :erased",
    )  # fmt: skip


def begun_of(study: Item) -> Begun | None:
    """Of a study's row. Raises msgspec.MsgspecError for a damaged one."""
    return msgspec.json.decode(study["b"], type=Begun) if study.get("b") else None
