"""De-identified results, original headers -> the same results with the identity that they belong to; at the edge only.

Patient and study are the original's, every reference leads to the sender's own objects, and the times are the true
ones. The results' own UIDs are made anew with the key: whoever has both copies cannot tell that they are two of one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone

from pydicom.dataset import Dataset
from pydicom.uid import UID

from cuatro.errors import Rejected
from functions.imaging.pseudonym import Pseudonyms

_TAKEN = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "PatientAge",
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
    "StudyDescription",
)  # fmt: skip
"""Of the original: who and which study. What more is known of the patient is not the results' to repeat."""
_REQUIRED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
    "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
_OF_DEIDENTIFICATION = (
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
)  # fmt: skip
_MADE = ("Content", "Series", "InstanceCreation")
_ZONE = re.compile(r"[+-](0\d|1[0-4])[0-5]\d")
_REFERRED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")


def reidentified(
    results: Sequence[Dataset], originals: Sequence[Dataset], pseudonyms: Pseudonyms, made_at: datetime
) -> list[Dataset]:
    """Changes and returns `results`, objects of one study. originals: headers of its instances, of one patient.

    made_at: when the report was made, with zone; written in the zone that the sender's objects say they are in, else in
    UTC. Raises Rejected where the originals are of several studies or patients: whose result would it be?
    """
    _check_one(originals)
    uids = {**_originals(originals, pseudonyms), **_own(results, pseudonyms)}
    for result in results:
        _identify(result, originals[0])
        _date(result, made_at, str(originals[0].get("TimezoneOffsetFromUTC") or ""))
        _refer(result, uids)
    return list(results)


def _check_one(originals: Sequence[Dataset]) -> None:
    for name, what in (("StudyInstanceUID", "studies"), ("PatientID", "patients")):
        if len({str(each.get(name, "")) for each in originals}) != 1:
            raise Rejected(f"the instances are of several {what}, or of none", code=f"several_{what}")


def _originals(originals: Sequence[Dataset], pseudonyms: Pseudonyms) -> dict[str, str]:
    """Pseudonymous UID -> the sender's."""
    found = {str(each[name].value) for each in originals for name in _REFERRED if each.get(name)}
    return {pseudonyms.uid(uid): uid for uid in found}


def _own(results: Sequence[Dataset], pseudonyms: Pseudonyms) -> dict[str, str]:
    own = {str(uid) for each in results for uid in (each.SOPInstanceUID, each.SeriesInstanceUID)}
    return {uid: pseudonyms.uid(uid) for uid in own}


def _identify(result: Dataset, original: Dataset) -> None:
    for name in (*_TAKEN, *_OF_DEIDENTIFICATION):
        if name in result:
            delattr(result, name)
    result.SpecificCharacterSet = "ISO_IR 192"  # whatever alphabet the original is written in
    for name in _TAKEN:
        value = original.get(name)
        if name in original and value is not None:
            # As text: a name that is decoded is written in the result's own character set.
            setattr(result, name, str(value) if original[name].VR == "PN" else value)
        elif name in _REQUIRED:
            setattr(result, name, None)


def _date(result: Dataset, made_at: datetime, zone: str) -> None:
    if _ZONE.fullmatch(zone):  # it is of all times in an object, the study's too
        minutes = (int(zone[1:3]) * 60 + int(zone[3:])) * (-1 if zone[0] == "-" else 1)
        made_at = made_at.astimezone(timezone(timedelta(minutes=minutes)))
        result.TimezoneOffsetFromUTC = zone
    else:
        made_at = made_at.astimezone(UTC)
    date, time = f"{made_at:%Y%m%d}", f"{made_at:%H%M%S}"
    for name in (f"{each}Date" for each in _MADE):
        setattr(result, name, date)
    for name in (f"{each}Time" for each in _MADE):
        setattr(result, name, time)
    if "DateOfSecondaryCapture" in result:
        result.DateOfSecondaryCapture, result.TimeOfSecondaryCapture = date, time


def _refer(dataset: Dataset, uids: Mapping[str, str]) -> None:
    for each in _nested(dataset):
        for element in each:
            if element.VR != "UI" or not element.value:
                continue
            if element.VM > 1:
                element.value = [UID(uids.get(str(uid), str(uid))) for uid in element.value]
            else:
                element.value = UID(uids.get(str(element.value), str(element.value)))


def _nested(dataset: Dataset) -> Iterator[Dataset]:
    """The dataset and all in its sequences."""
    yield dataset
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _nested(item)
