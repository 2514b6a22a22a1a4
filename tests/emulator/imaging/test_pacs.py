"""A hospital's PACS sends studies by STOW-RS with TLS, and has the results pushed back: Orthanc, storescu, dciodvfy."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dicomweb_client.api import DICOMwebClient
from dicomweb_client.session_utils import create_session_from_user_pass
from pydicom import Dataset, dcmread
from pydicom.uid import ComprehensiveSRStorage, SecondaryCaptureImageStorage

from functions.imaging.outcome import results_of
from functions.imaging.own_objects import LABEL
from local.feed import senders
from tests.dicom_programs import errors, output
from tests.emulator.deployed import name
from tests.emulator.imaging.readings import ENDED, Reading, bytes_of, image
from tests.pacs.orthanc import FORWARD, SERVER, Orthanc, Ports, free_ports, orthanc
from tests.waiting import eventually

OF_STUDY = ("PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID", "AccessionNumber")
SENDER = name("pacs")  # of this run: functions keep for a while what they know of a sender
PUSHED_S = 180


@pytest.fixture(scope="module")
def ports() -> Ports:
    return free_ports()


@pytest.fixture(scope="module")
def server(read: Reading, ports: Ports) -> dict[str, Any]:
    """The pipeline as Orthanc is told of it: a DICOMweb server with a user and a password."""
    url, _ = read.connection.secure_api_url(read.outputs["ApiUrl"])
    token = senders.add(read.connection, SENDER, destination=ports.dicomweb)
    return {"Url": f"{url.rstrip('/')}/", "Username": SENDER, "Password": token}


@pytest.fixture(scope="module")
def pacs(
    read: Reading, ports: Ports, server: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Orthanc]:
    """A PACS that forwards what modalities send to it."""
    home = tmp_path_factory.mktemp("pacs")
    with orthanc(home, ports, {SERVER: server}, read.platform.authority, [FORWARD]) as started:
        yield started


@pytest.fixture(scope="module")
def sent(read: Reading, pacs: Orthanc, tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    """A study of two images that a modality has sent to the PACS, in one series."""
    folder = tmp_path_factory.mktemp("modality")
    first, second = image("pneumonia"), image("normal")
    for element in (*OF_STUDY, "StudyDate", "SeriesInstanceUID"):
        setattr(second, element, getattr(first, element))
    for number, each in enumerate((first, second)):
        (folder / f"{number}.dcm").write_bytes(bytes_of(each))
    said = pacs.store(*sorted(folder.iterdir()))
    assert said.count("Received Store Response (Success)") == 2
    return [first, second]


@pytest.fixture(scope="module")
def study(read: Reading, pacs: Orthanc, sent: list[Dataset]) -> str:
    """The study's pseudonym, once it is read: by the model, and where it is wanted by a person."""
    study = read.names.study(sent[0].StudyInstanceUID)
    try:
        row = read.state(study, "review", *ENDED)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{pacs.log}") from None
    if row["s"] == "review":
        read.decide(study, "other_finding", ["image_quality"])
        row = read.state(study, *ENDED)
    assert row["s"] == "read", row
    assert int(row["c"]) == 2
    return study


@pytest.fixture(scope="module")
def results(
    read: Reading, pacs: Orthanc, sent: list[Dataset], study: str, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    """What was pushed back to the PACS: files, as any program of the hospital gets them there."""
    folder, row = tmp_path_factory.mktemp("results"), read.study(study)
    assert row
    made = {each.instance for each in results_of(row["k"])[str(int(row["r"]))]}

    def pushed() -> list[dict[str, Any]] | None:
        found = [each for each in pacs.instances(sent[0].StudyInstanceUID) if each["SOPInstanceUID"] in made]
        return found if len(found) == len(made) else None

    for each in eventually(pushed, "the results in the PACS", PUSHED_S):
        (folder / f"{each['ID']}.dcm").write_bytes(pacs.file(each["ID"]))
    return sorted(folder.iterdir())


def kinds(results: list[Path]) -> dict[str, list[Dataset]]:
    found: dict[str, list[Dataset]] = {}
    for file in results:
        dataset = dcmread(file)
        found.setdefault(dataset.SOPClassUID, []).append(dataset)
    return found


def test_results_come_back_under_the_patients_name_and_into_their_study(
    sent: list[Dataset], results: list[Path]
) -> None:
    reports, captures = (
        kinds(results).get(kind, []) for kind in (ComprehensiveSRStorage, SecondaryCaptureImageStorage)
    )
    assert len(reports) == 1
    assert len(captures) == len(results) - 1
    for each in (*reports, *captures):
        for element in OF_STUDY:
            assert getattr(each, element) == getattr(sent[0], element), element
        assert each.SOPInstanceUID not in {image.SOPInstanceUID for image in sent}
    (evidence,) = reports[0].CurrentRequestedProcedureEvidenceSequence
    named = {item.ReferencedSOPInstanceUID for series in evidence.ReferencedSeriesSequence
             for item in series.ReferencedSOPSequence}  # fmt: skip
    assert named >= {image.SOPInstanceUID for image in sent}


def test_independent_programs_find_the_results_sound(results: list[Path]) -> None:
    for file in results:
        assert errors(file) == []
        assert "1.2.840.10008" in output("dcmdump", "-q", "+P", "0008,0016", "-Un", file)
    (report,) = [file for file in results if dcmread(file).SOPClassUID == ComprehensiveSRStorage]
    assert LABEL in output("dsrdump", report)
    for file in results:
        if file != report:
            output("dcm2pnm", "+op", file, file.with_suffix(".png"))
            assert file.with_suffix(".png").stat().st_size > 10_000
            file.with_suffix(".png").unlink()


def test_a_pacs_that_sends_all_again_changes_nothing(
    read: Reading, pacs: Orthanc, sent: list[Dataset], study: str, results: list[Path]
) -> None:
    before = read.study(study)
    assert before
    (found,) = [
        each for each in pacs.studies() if each["MainDicomTags"]["StudyInstanceUID"] == sent[0].StudyInstanceUID
    ]
    for _ in range(2):
        pacs.send(found["ID"])  # the results, too: of those the pipeline wants none
    counted = read.client("sqs").get_queue_attributes
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]

    def quiet() -> bool:
        queues = (read.outputs["ArrivalsQueueUrl"], read.outputs["QuietQueueUrl"])
        return not any(
            int(count) for url in queues for count in counted(QueueUrl=url, AttributeNames=names)["Attributes"].values()
        )

    eventually(quiet, "an end of what arrived")
    after = read.study(study)
    assert after
    assert {name: after[name] for name in ("s", "r", "c", "w")} == {name: before[name] for name in ("s", "r", "c", "w")}
    assert len(pacs.instances(sent[0].StudyInstanceUID)) == len(sent) + len(results)


def test_a_pacs_finds_and_fetches_results_by_itself(pacs: Orthanc, sent: list[Dataset], results: list[Path]) -> None:
    uid = sent[0].StudyInstanceUID
    answer = pacs.call(f"/dicom-web/servers/{SERVER}/qido", {"Uri": "/studies", "Arguments": {"StudyInstanceUID": uid}})
    (found,) = json.loads(answer) if isinstance(answer, str) else answer
    assert found["0020000D"]["Value"] == uid  # in Orthanc's own short form
    pacs.delete()
    pacs.call(f"/dicom-web/servers/{SERVER}/retrieve", {"Resources": [{"Study": uid}], "Synchronous": True})
    fetched = {each["SOPInstanceUID"] for each in pacs.instances(uid)}
    assert fetched == {dcmread(file).SOPInstanceUID for file in results}


def test_dicomweb_client_searches_and_fetches(
    read: Reading, server: dict[str, Any], sent: list[Dataset], results: list[Path]
) -> None:
    session = create_session_from_user_pass(server["Username"], server["Password"])
    session.verify = str(read.platform.authority)
    session.trust_env = False  # REQUESTS_CA_BUNDLE of the environment would come before it
    client = DICOMwebClient(server["Url"].rstrip("/"), session=session)
    uid = sent[0].StudyInstanceUID
    (found,) = client.search_for_studies(search_filters={"StudyInstanceUID": uid})
    assert Dataset.from_json(found).StudyInstanceUID == uid
    fetched = {each.SOPInstanceUID: each for each in client.retrieve_study(uid)}
    assert set(fetched) == {dcmread(file).SOPInstanceUID for file in results}
    assert {each.PatientName for each in fetched.values()} == {sent[0].PatientName}


@pytest.fixture
def another_pacs(tmp_path: Path, sent: list[Dataset]) -> Iterator[Callable[..., tuple[Orthanc, str]]]:
    """Settings of a server -> a PACS that holds a study and knows the pipeline by them; the study's id there."""
    opened = []

    def made(server: dict[str, Any], authority: str | Path | None) -> tuple[Orthanc, str]:
        context = orthanc(tmp_path, free_ports(), {SERVER: server}, authority)
        started = context.__enter__()
        opened.append(context)
        file = tmp_path / "image.dcm"
        file.write_bytes(bytes_of(image()))
        started.store(file)
        return started, started.studies()[0]["ID"]

    yield made
    for context in opened:
        context.__exit__(None, None, None)


@pytest.mark.parametrize("wrong", ["authority", "password", "in the clear"])
def test_nothing_is_sent_in_the_clear_by_strangers_or_to_strangers(
    read: Reading, server: dict[str, Any], another_pacs: Callable[..., tuple[Orthanc, str]], wrong: str
) -> None:
    authority: str | Path | None = read.platform.authority
    if wrong == "authority":
        authority = "/etc/ssl/certs/ca-certificates.crt"
    elif wrong == "password":
        server = {**server, "Password": "guessed"}
    else:
        plain = read.connection.api_url(read.outputs["ApiUrl"])
        server = {**server, "Url": f"{plain.rstrip('/')}/"}
    pacs, study = another_pacs(server, authority)
    assert pacs.send(study) == "Failure"
    expected = {"authority": "SSL peer certificate", "password": "401", "in the clear": "403"}
    assert expected[wrong] in pacs.log, pacs.log


def test_a_folder_that_is_dropped_is_read(read: Reading, tmp_path: Path) -> None:
    one = image()
    share = tmp_path / "share" / "room 1"
    share.mkdir(parents=True)
    (share / f"{one.PatientID} chest.dcm").write_bytes(bytes_of(one))
    (tmp_path / "share" / "notes.txt").write_text("no image")
    said = read.cuatro("drop", str(tmp_path / "share"), "--sender", "files", "--state", str(tmp_path))
    assert "2 files copied" in said
    study = read.names.study(one.StudyInstanceUID)
    assert read.state(study, "review", *ENDED)["s"] in {"review", "read"}
    assert "0 files copied, 2 were there before" in read.cuatro(
        "drop", str(tmp_path / "share"), "--sender", "files", "--state", str(tmp_path)
    )
    left = read.client("s3").list_objects_v2(Bucket=read.outputs["IdentifiedBucket"], Prefix="drop/")
    assert left["KeyCount"] == 0
