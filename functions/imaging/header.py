"""First bytes of a DICOM file (PS3.10) -> which image of which study it is, before anything else of it is looked at."""

import re
from typing import NamedTuple

from pydicom.dataset import FileDataset

from cuatro.errors import Rejected
from functions.imaging import reading
from functions.imaging.own_objects import is_own

FIRST_BYTES = 4 << 20
"""Of a file, where the header must be: what comes before the pixels has some thousand bytes in real files."""

_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+\Z")
_MAX_UID = 64
MODALITIES = frozenset({
    "AR", "AU", "BDUS", "BI", "BMD", "CR", "CT", "DG", "DOC", "DX", "ECG", "EPS", "ES", "GM", "HC", "HD", "IO", "IVUS",
    "KO", "LS", "MG", "MR", "NM", "OCT", "OP", "OT", "PR", "PT", "PX", "REG", "RF", "RG", "RTDOSE", "RTIMAGE", "RTPLAN",
    "RTSTRUCT", "RWV", "SC", "SEG", "SM", "SR", "TG", "US", "VA", "XA", "XC",
})  # fmt: skip
"""Of PS3.3 C.7.3.1.1.1, with SC of old; any other word may be somebody's name, and is "other" from here on."""


_NO_IMAGES = tuple(f"1.2.840.10008.5.1.4.1.1.{each}." for each in ("9", "11", "88", "104"))
"""Waveforms, presentation states, structured reports and key object selections, encapsulated documents."""


class Header(NamedTuple):
    """UIDs as the sender made them: PHI, like all of this. modality: one of MODALITIES, or "other".

    own: a result of this suite that comes back, as from a PACS that forwards whatever it gets.
    """

    sop_class: str
    instance: str
    study: str
    series: str
    patient_id: str
    issuer: str
    modality: str
    own: bool

    @property
    def is_image(self) -> bool:
        """May it have pixels at all? What has none is refused before it counts to a study."""
        return not self.sop_class.startswith(_NO_IMAGES)


def header(first: bytes) -> Header:
    """first: the file, or its FIRST_BYTES. Raises Rejected: not_dicom, damaged, oversized_header (see reading),
    missing_uid and invalid_uid. Nothing of the file is in it.
    """
    found = _header(reading.header(first, inflated=FIRST_BYTES))
    for name in ("sop_class", "instance", "study", "series"):
        uid = getattr(found, name)
        if not uid and len(first) >= FIRST_BYTES:
            raise Rejected(f"is not within {FIRST_BYTES:,} bytes", name, "oversized_header")
        if not uid:
            raise Rejected("is missing", name, "missing_uid")
        if len(uid) > _MAX_UID or not _UID.match(uid):
            raise Rejected("is not a UID (PS3.5 9.1)", name, "invalid_uid")
    return found


def issuer_of(found: Header, sender: str, configured: str | None) -> str:
    """Within what a patient id counts: what the file says, else what is known of the sender, else the sender."""
    return found.issuer or configured or sender


def _header(found: FileDataset) -> Header:
    with reading.quiet():
        try:
            modality = _text(found, "Modality")
            return Header(
                sop_class=_text(found, "SOPClassUID"),
                instance=_text(found, "SOPInstanceUID"),
                study=_text(found, "StudyInstanceUID"),
                series=_text(found, "SeriesInstanceUID"),
                patient_id=_text(found, "PatientID"),
                issuer=_text(found, "IssuerOfPatientID"),
                modality=modality if modality in MODALITIES else "other",
                own=is_own(found),
            )
        except Rejected:
            raise
        except Exception:  # noqa: BLE001 - values are parsed when they are looked at, and errors quote them
            raise Rejected("an identifier cannot be parsed", code="damaged") from None


def _text(found: FileDataset, keyword: str) -> str:
    value = found.get(keyword)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Rejected("has several values", keyword, "damaged")
    return str(value).strip(" \0")
