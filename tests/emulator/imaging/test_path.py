"""A study on its whole way through the deployed stack: STOW-RS -> read -> reviewer -> results by WADO-RS, the bus."""

import json
import urllib.error
import urllib.request

import pytest
from pydicom.data import get_testdata_file
from pydicom.filereader import dcmread
from pydicom.uid import generate_uid

from tests.emulator.deployed import Queue, name
from tests.emulator.imaging.readings import DICOM, ENDED, Reading, bytes_of, image
from tests.waiting import eventually

SR, SC = "1.2.840.10008.5.1.4.1.1.88", "1.2.840.10008.5.1.4.1.1.7"


def test_a_study_comes_back_with_what_a_reviewer_decided(read: Reading, told: Queue) -> None:
    sent = image("pneumonia")
    study = read.sent(sent)
    row = read.state(study, "review", *ENDED)
    assert row["s"] == "review", "a phantom is no radiograph that the model is sure of"
    shown = read.decide(study, "pneumonia", ["model_missed"])
    assert shown["subject"] == study

    row = read.state(study, *ENDED)
    outcome = json.loads(row["v"])
    assert (row["s"], outcome["verdict"], outcome["by"]) == ("read", "pneumonia", "review")

    results = read.results(sent.StudyInstanceUID)
    kinds = sorted("SR" if each.SOPClassUID.startswith(SR) else "SC" for each in results)
    assert kinds in (["SR"], ["SC", "SR"]), "a heat map is drawn of what the model could read"
    for result in results:
        assert result.StudyInstanceUID == sent.StudyInstanceUID
        assert result.PatientID == sent.PatientID
        assert result.PatientName == sent.PatientName
        assert result.SOPInstanceUID != sent.SOPInstanceUID
    report = next(each for each in results if each.SOPClassUID.startswith(SR))
    assert sent.SOPInstanceUID in str(report), "it refers to the image that was read"

    event = told.first(lambda found: found["detail"].get("study") == study, "StudyRead")
    assert event["detail-type"] == "StudyRead"
    assert (event["detail"]["verdict"], event["detail"]["human"]) == ("pneumonia", True)
    assert event["detail"]["model_version"] == outcome["model_version"]


def test_what_is_sent_again_is_read_once(read: Reading) -> None:
    sent = image()
    study = read.sent(sent)
    before = read.state(study, "review", *ENDED)
    again = read.send(sent)
    assert (len(again.instances), again.refused) == (1, [])
    status = eventually(lambda: read.sender.status(sent.StudyInstanceUID), "the study's status")
    assert (status["instances"], status["waiting"], status["revision"]) == (1, 0, before["r"])


def test_what_is_no_radiograph_is_set_aside_with_its_reason(read: Reading) -> None:
    slice_of_a_ct = dcmread(str(get_testdata_file("CT_small.dcm")))
    slice_of_a_ct.StudyInstanceUID, slice_of_a_ct.SOPInstanceUID = generate_uid(), generate_uid()
    slice_of_a_ct.file_meta.MediaStorageSOPInstanceUID = slice_of_a_ct.SOPInstanceUID
    study = read.sent(slice_of_a_ct)
    assert read.state(study, *ENDED)["s"] == "rejected"
    instance = read.names.instance(slice_of_a_ct.SOPInstanceUID)
    row = read.item("InstancesTable", instance=instance)
    assert row is not None
    assert row["why"] == "unsupported_sop_class"
    assert read.objects("IdentifiedBucket", f"rejected/{instance}"), "kept, for whoever asks why"
    assert not read.objects("DeidentifiedBucket", f"studies/{study}/"), "nothing of it goes on"


def test_results_are_their_senders_own(read: Reading) -> None:
    sent = image()
    study = read.sent(sent)
    if read.state(study, "review", *ENDED)["s"] == "review":
        read.decide(study, "normal")
    read.state(study, "read")
    assert read.results(sent.StudyInstanceUID)
    stranger = read.sender_named(name("stranger"))
    assert stranger.get(f"/studies/{sent.StudyInstanceUID}", DICOM).status == 404, "not even that it is there"
    assert stranger.status(sent.StudyInstanceUID) is None


@pytest.mark.safeguard("164.312(d)")
def test_without_a_token_nothing_is_taken(read: Reading) -> None:
    for authorization in (None, "Bearer nobody", "Basic bm9ib2R5Om5vYm9keQ=="):
        assert _posted(read, read.connection.secure_api_url(read.outputs["ApiUrl"])[0], authorization) == 401


@pytest.mark.safeguard("164.312(e)(1)")
def test_plain_http_is_refused(read: Reading) -> None:
    url = read.connection.api_url(read.outputs["ApiUrl"])
    assert url.startswith("http://")
    token = read.sender._authorization  # the right one: only the way is wrong
    assert _posted(read, url, token) == 403


def _posted(read: Reading, url: str, authorization: str | None) -> int:
    """Status of a STOW-RS request."""
    import ssl  # noqa: PLC0415 - here alone

    body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + bytes_of(image()) + b"\r\n--b--\r\n"
    headers = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
    headers |= {"Authorization": authorization} if authorization else {}
    request = urllib.request.Request(f"{url.rstrip('/')}/studies", body, headers)  # noqa: S310 - loopback
    trust = ssl.create_default_context(cafile=str(read.platform.authority)) if url.startswith("https") else None
    try:
        with urllib.request.urlopen(request, timeout=60, context=trust) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
