"""Event -> whose data is to be erased, as a pseudonym; and what became of it -> the certificate."""

import re
from typing import Any, Literal

import msgspec

from cuatro.errors import Rejected
from functions.imaging.pseudonym import Pseudonyms

_PSEUDONYM = re.compile(r"[a-z2-7]{26}")
State = Literal["erased", "erasing", "refused", "nothing", "found"]


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By pseudonym, or by the id that the hospital knows and its issuer (Issuer of Patient ID, or what stands for it).

    preview: only say what there is.
    """

    patient: str = ""
    patient_id: str = ""
    issuer: str = ""
    preview: bool = False
    by: str = "unknown"


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a patient's data. Counts only: it may be kept for ever.

    state: erased; erasing (a reading ran and was stopped: ask again when no step of it can run any more, after some
    minutes); refused (something is locked, so nothing was touched); nothing (nobody knows the patient); found (a
    preview). objects: versions and delete markers. locked: of these, by why: legal_hold, compliance, governance.
    """

    state: State
    patient: str
    studies: int = 0
    instances: int = 0
    tasks: int = 0
    executions: int = 0
    objects: int = 0
    locked: dict[str, int] = {}


def request_of(event: dict[str, Any]) -> Request:
    """Raises Rejected, whose words are ours: a wrong event may hold a name."""
    try:
        return msgspec.convert(event, Request)
    except msgspec.ValidationError:
        raise Rejected("give patient, or patient_id and issuer", code="invalid_request") from None


def patient_of(request: Request, pseudonyms: Pseudonyms) -> str:
    """Raises Rejected: neither a pseudonym nor an id, or both."""
    if bool(request.patient) == bool(request.patient_id.strip()):
        raise Rejected("give either patient, or patient_id and issuer", code="invalid_request")
    if request.patient_id:
        return pseudonyms.patient(request.issuer or None, request.patient_id)
    if not _PSEUDONYM.fullmatch(request.patient):
        raise Rejected("a patient's pseudonym has 26 characters of a-z and 2-7", "patient", "invalid_request")
    return request.patient
