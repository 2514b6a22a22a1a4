"""A patient's data is planted in every kind of element; then everything that the run wrote is searched for it."""

import json
from collections.abc import Iterator

import pytest
from pydicom import Dataset, Sequence

from tests.emulator.deployed import Queue
from tests.emulator.imaging.readings import ENDED, Reading, bytes_of, image

NAME, NUMBER, PLACE, NOTE = "Zyxwmarker^Planted", "QJ7734190", "Marker Klinikum Vexholm", "notedmarkerwords"
# As a sender's file system would say it: a name of a file is a patient's too.
FILE = "zyxwmarker_planted_1987.dcm"
PLANTED = (b"yxwmarker", b"j7734190", b"vexholm", b"notedmarkerwords")
"""In lower case; without the first letter, which a library may write in another."""


def marked() -> Dataset:
    """A radiograph of a patient whom no other test has, marked in text, sequences, private elements, the header."""
    made = image(
        PatientName=NAME, PatientID=NUMBER, AccessionNumber=NUMBER, InstitutionName=PLACE, StudyID=NUMBER,
        ReferringPhysicianName=NAME, OperatorsName=NAME, StudyDescription=NOTE, SeriesDescription=NOTE,
        PatientComments=NOTE, ImageComments=NOTE, StationName="VEXHOLM1", ProtocolName=NOTE,
    )  # fmt: skip
    nested = Dataset()
    nested.PatientName, nested.RequestedProcedureDescription = NAME, NOTE
    made.RequestAttributesSequence = Sequence([nested])
    block = made.private_block(0x0009, PLACE, create=True)
    block.add_new(0x01, "LO", NAME)
    made.file_meta.SourceApplicationEntityTitle = "VEXHOLM"
    return made


@pytest.fixture(scope="module")
def planted(read: Reading, told: Queue) -> tuple[Dataset, str]:
    """One study by STOW-RS has gone all the way; another, damaged, by the drop, was set aside."""
    sent, damaged = marked(), marked()
    study = read.sent(sent)
    place = {"Bucket": read.outputs["IdentifiedBucket"], "Key": f"drop/{read.hospital}/{FILE}"}
    read.client("s3").put_object(**place, Body=bytes_of(damaged)[:-5_000])
    assert read.state(read.names.study(damaged.StudyInstanceUID), *ENDED)["s"] == "rejected"
    if read.state(study, "review", *ENDED)["s"] == "review":
        read.decide(study, "normal", ["other"])
    read.state(study, "read")
    told.first(lambda found: found["detail"].get("study") == study, "StudyRead")
    return sent, study


def everything(read: Reading, told: Queue) -> Iterator[tuple[str, bytes]]:
    """(where, what) of all that is written, but what lies in the identified bucket."""
    logs = read.client("logs")
    for group in (each for page in logs.get_paginator("describe_log_groups").paginate() for each in page["logGroups"]):
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group["logGroupName"], startTime=read.began_ms
        )
        lines = [event["message"] for page in pages for event in page["events"]]
        yield f"log {group['logGroupName']}", "\n".join(lines).encode()
    yield "histories", read.histories().encode()
    for table in ("StudiesTable", "InstancesTable", "ReviewsTable", "LedgerTable"):
        yield table, repr(read.rows(table)).encode()
    for bucket in ("DeidentifiedBucket", "LedgerBucket"):
        for key, content in read.objects(bucket).items():
            yield f"{bucket} {key}", key.encode() + content
    yield (
        "keys of the identified",
        "\n".join(key for key in read.objects("IdentifiedBucket") if not key.startswith("drop/")).encode(),
    )
    yield "bus", json.dumps(told.messages()).encode()
    yield "metrics", json.dumps(read.client("cloudwatch").list_metrics()["Metrics"]).encode()
    queues = read.client("sqs")
    for url in (read.outputs["FailuresQueueUrl"], read.outputs["QuietQueueUrl"], read.outputs["AuditQueueUrl"]):
        waiting = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
        yield url, json.dumps(waiting).encode()


@pytest.mark.safeguard("164.312(a)(1)")
def test_nothing_that_a_run_writes_tells_who_the_patient_is(
    read: Reading, told: Queue, planted: tuple[Dataset, str]
) -> None:
    sent, study = planted
    uids = [sent.StudyInstanceUID, sent.SeriesInstanceUID, sent.SOPInstanceUID]
    wanted = [*PLANTED, *(uid.encode() for uid in uids)]
    places = {where: content.lower() for where, content in everything(read, told)}
    assert len([where for where in places if where.startswith("log ")]) > 15
    assert study.encode() in places["histories"], "the search does look at this run"
    assert any(study in where for where in places if where.startswith("DeidentifiedBucket"))
    found = {(where, word) for where, content in places.items() for word in wanted if word in content}
    assert not found


def test_what_is_searched_for_is_where_it_belongs(read: Reading, planted: tuple[Dataset, str]) -> None:
    """So that the test above means something."""
    sent, _ = planted
    instance = read.names.instance(sent.SOPInstanceUID)
    (kept,) = read.objects("IdentifiedBucket", f"instances/{instance}.dcm").values()
    assert kept == bytes_of(sent), "the bytes as they came"
    for word in PLANTED:
        assert word in kept.lower()
    for result in read.results(sent.StudyInstanceUID):
        assert (result.PatientName, result.PatientID) == (NAME, NUMBER)
