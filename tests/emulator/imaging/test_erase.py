"""A patient of the deployed pipeline is erased, by the command and with the function's own role: nothing is left."""

import pytest
from pydicom import Dataset

from local.audit.ledger import Ledger, verified
from tests.emulator.imaging.readings import Reading, image
from tests.emulator.roles import denied, role_of
from tests.waiting import eventually


def adult() -> Dataset:
    """Certainly for a person."""
    return image(PatientAge="050Y", PatientBirthDate=None)


def erased(read: Reading, sent: Dataset, *more: str) -> str:
    """What the command says."""
    said = read.cuatro(
        "erase", "patient", str(sent.PatientID), "--issuer", read.hospital, "--yes", "--settle", "0", *more
    )
    return " ".join(said.split())


def left(read: Reading, *ids: str) -> list[str]:
    """Keys and rows that have one of these ids in them; versions and delete markers count.

    Not the row that says that the study was erased.
    """
    found: list[str] = []
    for output in ("IdentifiedBucket", "DeidentifiedBucket"):
        pages = read.client("s3").get_paginator("list_object_versions").paginate(Bucket=read.outputs[output])
        listed = [page.get(kind, []) for page in pages for kind in ("Versions", "DeleteMarkers")]
        found += [each["Key"] for part in listed for each in part]
    for output in ("StudiesTable", "InstancesTable", "ReviewsTable"):
        found += [str(row) for row in read.rows(output) if "erased" not in row]
    return [each for each in found if any(one in each for one in ids)]


def ids(read: Reading, sent: Dataset) -> tuple[str, str]:
    return read.names.study(sent.StudyInstanceUID), read.names.instance(sent.SOPInstanceUID)


def test_nothing_is_left_of_a_patient_whose_study_was_read(read: Reading) -> None:
    sent, other = adult(), adult()
    study, _ = ids(read, sent)
    for each in (sent, other):
        read.sent(each)
    for each in (sent, other):
        read.state(ids(read, each)[0], "review")
        read.decide(ids(read, each)[0], "normal")
        read.state(ids(read, each)[0], "read")
    assert len(left(read, *ids(read, sent))) > 8

    assert "1 studies, 1 instances" in erased(read, sent, "--preview")
    assert "Erased." in erased(read, sent)

    assert not left(read, *ids(read, sent))
    assert len(left(read, *ids(read, other))) > 8, "another patient's are all there"
    patient = read.names.patient(read.hospital, str(sent.PatientID))
    eventually(lambda: read.ledger(action="erase", object=patient, outcome="success"), "the certificate in the ledger")
    assert [entry.object for entry in Ledger(read.connection).entries(study)], "the ledger knows what was done"
    assert verified(read.connection).intact


def test_a_study_that_waits_for_a_reviewer_is_stopped_and_erased(read: Reading) -> None:
    sent = adult()
    study, instance = ids(read, sent)
    read.sent(sent)
    read.state(study, "review")
    task = read.task(study)

    assert "1 readings were stopped" in erased(read, sent)

    arn = read.outputs["ReadingMachineArn"].replace(":stateMachine:", ":execution:")
    found = read.client("stepfunctions").describe_execution(executionArn=f"{arn}:{study}-1")
    assert found["status"] == "ABORTED"
    assert not left(read, study, instance)
    assert task not in [each["task"] for each in read.reviewer().tasks()]


def test_an_erased_study_is_not_taken_in_again(read: Reading) -> None:
    """A PACS repeats itself; what it sends is refused, and the next call takes that too."""
    sent = adult()
    study, instance = ids(read, sent)
    read.sent(sent)
    read.state(study, "review")
    assert "Erased." in erased(read, sent)

    read.send(sent)

    def refused() -> bool:
        return any("erased" in str(row) and study in str(row) for row in read.rows("InstancesTable"))

    eventually(refused, "the refusal of a study that was erased")
    assert "Erased." in erased(read, sent)
    assert not left(read, study, instance)


@pytest.mark.safeguard("164.312(a)(1)")
def test_who_erases_opens_nothing(read: Reading) -> None:
    bucket = read.outputs["IdentifiedBucket"]
    key = read.client("s3").list_objects_v2(Bucket=bucket, Prefix="instances/")["Contents"][0]["Key"]
    with role_of(read, "EraseFunction") as session:
        s3 = session.client("s3", endpoint_url=read.platform.endpoint)
        assert denied(s3.get_object, Bucket=bucket, Key=key)
        assert denied(s3.put_object, Bucket=bucket, Key=key, Body=b"")
        assert not denied(s3.get_object_legal_hold, Bucket=bucket, Key=key)
