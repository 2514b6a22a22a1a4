"""A hospital's PACS sends nothing in the clear or to strangers; what a hospital drops in a folder is read."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.feed import senders
from tests.emulator.deployed import name
from tests.emulator.imaging.readings import ENDED, Reading, bytes_of, image
from tests.pacs.orthanc import SERVER, Orthanc, Ports, free_ports, orthanc

SENDER = name("pacs")  # of this run: functions keep for a while what they know of a sender


@pytest.fixture(scope="module")
def ports() -> Ports:
    return free_ports()


@pytest.fixture(scope="module")
def server(read: Reading, ports: Ports) -> dict[str, Any]:
    """The pipeline as Orthanc is told of it: a DICOMweb server with a user and a password."""
    url, _ = read.connection.secure_api_url(read.outputs["ApiUrl"])
    token = senders.add(read.connection, SENDER, destination=ports.dicomweb)
    return {"Url": f"{url.rstrip('/')}/", "Username": SENDER, "Password": token}


@pytest.fixture
def another_pacs(tmp_path: Path) -> Iterator[Callable[..., tuple[Orthanc, str]]]:
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
