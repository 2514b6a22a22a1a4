"""Re-identified results: the patient's and the sender's own, every reference leads to what the sender has."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from cuatro.errors import Rejected
from functions.imaging.own_objects import LABEL, encoded, is_own
from functions.imaging.pseudonym import Pseudonyms
from functions.imaging.reading import quiet
from functions.imaging.reidentification import reidentified
from tests.dicom_programs import errors
from tests.unit.imaging_results import PSEUDONYMS, deidentified, original, results
from tests.unit.readings import progress, read

KNOWN = progress(
    read(1, "pneumonia", 0.91), read(2, "not_readable", None, unsure=True, why=["view"]), routing={"route": "review"},
    review={"outcome": "pneumonia", "reads": [{"choice": "pneumonia"}]},
)  # fmt: skip
MADE_AT = datetime(2026, 11, 23, 10, 20, 30, tzinfo=UTC)


@cache
def files() -> list[bytes]:
    """The de-identified results, as they are kept."""
    with quiet():
        return [encoded(each) for each in results(KNOWN)]


def identified(
    headers: list[Dataset] | None = None, secret: Pseudonyms = PSEUDONYMS, made_at: datetime = MADE_AT
) -> list[Dataset]:
    """As they are read from their files."""
    with quiet():
        made = reidentified(
            [dcmread(BytesIO(each)) for each in files()], headers or [original(1), original(2)], secret, made_at
        )
        return [dcmread(BytesIO(encoded(each))) for each in made]


def uids(dataset: Dataset) -> Iterator[str]:
    for element in dataset.iterall():
        if element.VR == "UI":
            yield from element.value if element.VM > 1 else [element.value]


def test_they_carry_the_patient_and_the_study_as_the_sender_knows_them() -> None:
    for made in identified():
        assert str(made.PatientName) == "Phantom^Öne"
        assert (made.PatientID, made.IssuerOfPatientID) == ("PLANTED-ID", "PLANTED-CLINIC")
        assert (made.PatientBirthDate, made.PatientSex, made.PatientAge) == ("20220401", "F", "004Y")
        assert made.StudyInstanceUID == original().StudyInstanceUID
        assert (made.StudyDate, made.StudyTime, made.AccessionNumber) == ("20261120", "081500", "PLANTED-ACC")
        assert "PatientIdentityRemoved" not in made
        assert "DeidentificationMethod" not in made


def test_every_reference_leads_to_the_senders_own_objects() -> None:
    report, capture = identified()
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    assert study.StudyInstanceUID == original().StudyInstanceUID
    (series,) = study.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == original().SeriesInstanceUID
    assert [each.ReferencedSOPInstanceUID for each in series.ReferencedSOPSequence] == [
        original(1).SOPInstanceUID, original(2).SOPInstanceUID,
    ]  # fmt: skip
    assert capture.SourceImageSequence[0].ReferencedSOPInstanceUID == original(1).SOPInstanceUID


def test_no_uid_of_the_de_identified_copy_is_left() -> None:
    headers = [deidentified(1), deidentified(2)]
    pseudonymous = {uid for each in (*headers, *map(dcmread, map(BytesIO, files()))) for uid in (
        each.SOPInstanceUID, each.SeriesInstanceUID, each.StudyInstanceUID)}  # fmt: skip
    for made in identified():
        assert not pseudonymous & set(uids(made))
        assert made.file_meta.MediaStorageSOPInstanceUID == made.SOPInstanceUID


def test_their_own_uids_need_the_key() -> None:
    other = Pseudonyms(b"another secret of the tests, 32 bytes or more")
    mine, theirs = identified()[0], dcmread(BytesIO(files()[0]))
    assert mine.SOPInstanceUID == PSEUDONYMS.uid(theirs.SOPInstanceUID) != other.uid(theirs.SOPInstanceUID)


def test_times_are_the_true_ones() -> None:
    for made in identified():
        assert (made.ContentDate, made.ContentTime) == ("20261123", "102030")
        assert (made.InstanceCreationDate, made.SeriesDate) == ("20261123", "20261123")
        assert "20190211" not in str(made)


@pytest.mark.parametrize(
    ("zone", "date", "time"),
    [("+0530", "20261123", "155030"), ("-1100", "20261122", "232030"), ("nonsense", "20261123", "102030")],
)
def test_times_are_in_the_zone_that_the_sender_says(zone: str, date: str, time: str) -> None:
    headers = [original(number, TimezoneOffsetFromUTC=zone) for number in (1, 2)]
    for made in identified(headers):
        assert (made.ContentDate, made.ContentTime) == (date, time)
        assert made.get("TimezoneOffsetFromUTC", "nonsense") == zone


def test_again_they_are_the_same_bytes() -> None:
    assert [encoded(each) for each in identified()] == [encoded(each) for each in identified()]


def test_they_are_valid_by_an_independent_validator(tmp_path: Path) -> None:
    for number, made in enumerate(identified()):
        file = tmp_path / f"{number}.dcm"
        file.write_bytes(encoded(made))
        assert errors(file) == []


def test_a_result_that_comes_back_is_known() -> None:
    assert all(map(is_own, identified()))
    assert not is_own(original())
    assert not is_own(original(Manufacturer="Cuatro"))


def test_they_still_say_what_they_are_not_for() -> None:
    for made in identified():
        assert made.SeriesDescription == LABEL
        assert LABEL in str(made)


@pytest.mark.parametrize(  # the examples of PS3.5, annexes H to K
    ("charset", "name", "written"),
    [
        ("ISO 2022 IR 87", "Yamada^Tarou=山田^太郎=やまだ^たろう", ["", "ISO 2022 IR 87"]),
        ("ISO 2022 IR 149", "Hong^Gildong=洪^吉洞=홍^길동", ["", "ISO 2022 IR 149"]),
        ("ISO_IR 192", "Wang^XiaoDong=王^小东", "ISO_IR 192"),
        ("GB18030", "Wang^XiaoDong=王^小东", "GB18030"),
        ("ISO_IR 127", "قباني^لنزار", "ISO_IR 127"),
        ("ISO_IR 144", "Люксембург", "ISO_IR 144"),
    ],
)
def test_names_in_any_alphabet_arrive_as_they_were(charset: str, name: str, written: Any) -> None:
    header = original(1, SpecificCharacterSet=written, PatientName=name)
    with quiet():
        sent = dcmread(BytesIO(encoded(header)))
    assert str(sent.PatientName) == name, charset
    for made in identified([sent]):
        assert str(made.PatientName) == name
        assert made.SpecificCharacterSet == "ISO_IR 192"


@pytest.mark.parametrize(
    "odd",
    [
        {"StudyDate": "2026.11.20"},
        {"PatientID": "x" * 80},
        {"AccessionNumber": "a" * 30},
        {"PatientSex": "W"},
        {"PatientName": "No Carets At All " * 6},
        {"StudyInstanceUID": "1.2.03.x"},
    ],
)
def test_what_a_sender_does_wrong_comes_back_as_it_is(odd: dict[str, str]) -> None:
    with quiet():
        headers = [original(number, **odd) for number in (1, 2)]
    for made in identified(headers):
        ((name, value),) = odd.items()
        assert str(made[name].value).strip() == value.strip()


def test_what_a_sender_leaves_out_stays_out() -> None:
    header = original(1)
    for name in ("PatientName", "PatientBirthDate", "StudyID", "StudyDescription", "IssuerOfPatientID", "PatientAge"):
        delattr(header, name)
    for made in identified([header]):
        assert not made.PatientName
        assert not made.StudyID
        assert not {"StudyDescription", "IssuerOfPatientID", "PatientAge"} & set(made.dir())


@pytest.mark.parametrize("other", [{"PatientID": "PLANTED-OTHER"}, {"StudyInstanceUID": "1.2.3"}])
def test_instances_of_two_patients_or_studies_get_no_result(other: dict[str, str]) -> None:
    with pytest.raises(Rejected) as caught:
        identified([original(1), original(2, **other)])
    assert "PLANTED" not in str(caught.value)
