"""The structured report: valid by an independent validator, says what was read and by whom, refers to what there is."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from functions.imaging.own_objects import LABEL, encoded, own_uid
from functions.imaging.progress import Progress
from functions.imaging.reading import quiet
from tests.dicom_programs import errors, output
from tests.unit.imaging_results import deidentified, results
from tests.unit.readings import progress, read, rejected

REVIEW: dict[str, Any] = {
    "outcome": "other_finding", "reasons": ["model_overcalled"], "agreed": False,
    "reads": [{"role": "read", "choice": "pneumonia"},
              {"role": "read", "choice": "other_finding", "reasons": ["model_overcalled"]},
              {"role": "adjudication", "choice": "other_finding", "reasons": ["model_overcalled"]}],
}  # fmt: skip
ALONE = progress(read(1), routing={"route": "report"})
REVIEWED = progress(
    read(1, "pneumonia", 0.91), read(2, "not_readable", None, unsure=True, why=["view", "a_reason_of_more_than_16"]),
    rejected(3), routing={"route": "review", "why": ["positive"]}, review=REVIEW, revision=2,
)  # fmt: skip


def report(known: Progress, **more: object) -> Dataset:
    with quiet():
        return results(known, [deidentified(number, **more) for number in (1, 2)])[0]


def texts(item: Dataset) -> list[tuple[str, str]]:
    """(concept, value) of all content items, depth first."""
    found = []
    for each in item.get("ContentSequence", []):
        name = each.ConceptNameCodeSequence[0].CodeMeaning if "ConceptNameCodeSequence" in each else ""
        value: Any = each.get("TextValue") or each.get("PersonName")
        if "ConceptCodeSequence" in each:
            value = each.ConceptCodeSequence[0].CodeMeaning
        if "MeasuredValueSequence" in each:
            value = each.MeasuredValueSequence[0].NumericValue
        if value is not None:
            found.append((str(name), str(value)))
        found += texts(each)
    return found


@pytest.mark.parametrize("known", [ALONE, REVIEWED], ids=["alone", "reviewed"])
@pytest.mark.parametrize("empty", [False, True], ids=["full", "empty"])
def test_it_is_valid_by_an_independent_validator(known: Progress, empty: bool, tmp_path: Path) -> None:
    """Also where the sender left empty what may be empty."""
    names = ("StudyDate", "StudyTime", "PatientSex", "PatientAge", "PatientName")
    file = tmp_path / "sr.dcm"
    file.write_bytes(encoded(report(known, **dict.fromkeys(names, "" if empty else None)) if empty else report(known)))
    assert errors(file) == []
    assert not [line for line in output("dsrdump", file).splitlines() if line.startswith("E:")]


def test_what_the_model_read_is_said_of_each_image() -> None:
    said = texts(report(REVIEWED))
    assert ("Probability of pneumonia", "0.91") in said
    assert [value for name, value in said if name == "Finding"] == [
        "Pneumonia", "Undetermined", "Pneumonia", "Abnormal", "Abnormal",
    ]  # fmt: skip
    assert ("Algorithm Version", "imaging-1") in said
    assert ("Reason", "A reason of more than 16") in said
    assert [value for name, value in said if name == "Certainty of Finding"] == ["Sure", "Unsure"]


def test_a_normal_study_names_no_disease_as_found() -> None:
    findings = [value for name, value in texts(report(ALONE)) if name == "Finding"]
    assert findings == ["Normal"]


def test_the_impression_is_the_readers() -> None:
    said = dict(texts(report(REVIEWED)))
    assert said["Impression"].startswith("Another finding than pneumonia, by human review of 3.")
    assert "2 images read, 1 not" in said["Impression"]
    assert dict(texts(report(ALONE)))["Impression"].startswith("No finding that suggests pneumonia, by the model alone")


def test_readers_are_numbers() -> None:
    observers = [value for name, value in texts(report(REVIEWED)) if name == "Person Observer Name"]
    assert observers == ["Reader^1", "Reader^2", "Reader^3"]


def test_every_report_says_what_it_is_not_for() -> None:
    for known in (ALONE, REVIEWED):
        made = report(known)
        assert made.SeriesDescription == LABEL
        assert dict(texts(made))["Comment"] == f"{LABEL} - model imaging-1"
        assert LABEL in dict(texts(made))["Impression"]
        assert (made.CompletionFlag, made.VerificationFlag, made.PreliminaryFlag) == (
            "COMPLETE", "UNVERIFIED", "PRELIMINARY",
        )  # fmt: skip


def test_it_refers_to_the_images_that_were_read() -> None:
    made = report(REVIEWED)
    (study,) = made.CurrentRequestedProcedureEvidenceSequence
    assert study.StudyInstanceUID == made.StudyInstanceUID == deidentified().StudyInstanceUID
    (series,) = study.ReferencedSeriesSequence
    referred = [(each.ReferencedSOPClassUID, each.ReferencedSOPInstanceUID) for each in series.ReferencedSOPSequence]
    assert referred == [(deidentified(n).SOPClassUID, deidentified(n).SOPInstanceUID) for n in (1, 2)]


def test_the_same_report_is_the_same_bytes_and_another_revision_another_object() -> None:
    assert encoded(report(REVIEWED)) == encoded(report(REVIEWED))
    later = progress(read(1), routing={"route": "report"}, revision=2)
    first, second = report(ALONE), report(later)
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.SeriesInstanceUID != second.SeriesInstanceUID


def test_it_does_not_tell_when_the_study_really_was() -> None:
    made = report(ALONE)
    assert (made.ContentDate, made.InstanceCreationDate, made.SeriesDate) == ("20190211",) * 3
    today = f"{datetime.now(UTC):%Y%m%d}".encode()
    assert today not in encoded(made)
    undated = report(ALONE, StudyDate="", StudyTime="")
    assert (undated.ContentDate, undated.ContentTime) == ("19000101", "000000")


def test_a_de_identified_report_says_that_it_is_one() -> None:
    made = report(ALONE)
    assert (made.PatientIdentityRemoved, made.LongitudinalTemporalInformationModified) == ("YES", "MODIFIED")


def test_a_file_reads_back_as_it_was_written() -> None:
    made = report(REVIEWED)
    back = dcmread(BytesIO(encoded(made)))
    assert texts(back) == texts(made)
    assert back.file_meta.MediaStorageSOPInstanceUID == made.SOPInstanceUID
    assert back.preamble == bytes(128)


def test_uids_of_our_own_are_uuids() -> None:
    uids = {own_uid("sr", "study", number) for number in range(200)}
    assert len(uids) == 200
    for uid in uids:
        assert len(uid) <= 64
        number = int(uid.removeprefix("2.25."))
        assert number >> 76 & 0xF == 8
        assert number >> 62 & 0b11 == 0b10
