"""What hospitals' programs send, deployed: by request, link, folder, relay; twice, changed, too big, by strangers."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from dicomweb_client.api import DICOMwebClient

from local.feed.studies import SenderApi
from local.relay.association import listening
from local.relay.forwarding import forward
from local.relay.spool import Spool
from tests.dicom_programs import program
from tests.emulator.imaging.readings import Reading, bytes_of, image
from tests.waiting import eventually

MARK = b"DX-1"
BIG = (1800, 1500)
"""As a film of a hospital has it: more than a request may carry."""


@pytest.fixture(scope="module")
def north(read: Reading) -> SenderApi:
    return read.sender_named("north-clinic")


@pytest.fixture(scope="module")
def south(read: Reading) -> SenderApi:
    return read.sender_named("south-clinic")


@pytest.fixture
def http(read: Reading) -> Iterator[tuple[requests.Session, str]]:
    """Plain requests by TLS, and the API's URL; the machine's own settings of certificates do not count."""
    url, authority = read.connection.secure_api_url(read.outputs["ApiUrl"])
    with requests.Session() as session:
        session.trust_env, session.verify = False, authority
        yield session, url


def counted(api: SenderApi, uid: str) -> dict[str, Any]:
    """The study's status, once its image is counted."""
    return eventually(lambda: api.status(uid), "a status of the study")


def refusals(read: Reading, sender: str) -> dict[str, str]:
    """Codes of what this sender's objects were refused for, by object."""
    rows = [row for row in read.rows("InstancesTable") if row["s"] == {"S": "rejected"} and row["o"] == {"S": sender}]
    return {row["instance"]["S"]: row["why"]["S"] for row in rows}


def test_an_image_counts_once_and_stays_what_it_was(read: Reading, north: SenderApi, south: SenderApi) -> None:
    made = image()
    content = bytes_of(made)
    for _ in range(2):
        assert north.store([("a", content)]).instances == [made.SOPInstanceUID]
        assert counted(north, made.StudyInstanceUID)["instances"] == 1
    changed = content.replace(MARK, b"DX-2")
    assert changed != content
    assert north.store([("a", changed)]).refused == [(made.SOPInstanceUID, "another image has this UID")]
    assert south.store([("a", content)]).refused == []
    assert south.store([("a", changed)]).refused == [(made.SOPInstanceUID, "it is another sender's")]
    assert south.status(made.StudyInstanceUID) is None
    eventually(lambda: "other_sender" in refusals(read, "south-clinic").values(), "it is kept, refused")
    told = north.status(made.StudyInstanceUID)
    assert told is not None
    assert (told["instances"], told["refused"]) == (1, [{"code": "duplicate_instance", "count": 1}])
    kept = read.objects("IdentifiedBucket", f"instances/{read.names.instance(made.SOPInstanceUID)}")
    assert set(kept.values()) == {content}


def test_a_film_comes_by_link(north: SenderApi) -> None:
    made = image(size=BIG)
    assert north.upload("film", bytes_of(made)).by_link == 1
    assert counted(north, made.StudyInstanceUID)["instances"] == 1


def test_a_folder_of_the_hospital_is_emptied_and_what_is_no_image_is_kept_apart(
    read: Reading, north: SenderApi
) -> None:
    made = image()
    s3, bucket = read.client("s3"), read.outputs["IdentifiedBucket"]
    s3.put_object(Bucket=bucket, Key="drop/north-clinic/Marked^Person/film 1 é.dcm", Body=bytes_of(made))
    s3.put_object(Bucket=bucket, Key="drop/north-clinic/Marked^Person/notes.txt", Body=b"no image")
    assert counted(north, made.StudyInstanceUID)["instances"] == 1
    eventually(lambda: "not_dicom" in refusals(read, "north-clinic").values(), "the notes are refused")

    def left() -> list[dict[str, Any]]:
        return s3.list_object_versions(Bucket=bucket, Prefix="drop/north-clinic").get("Versions", [])  # type: ignore[no-any-return]

    eventually(lambda: not left(), "every version of them is gone")


def test_dicomweb_client_stores_and_asks(http: tuple[requests.Session, str], north: SenderApi, read: Reading) -> None:
    session, url = http
    token = north._authorization
    session.headers["Authorization"] = token
    client = DICOMwebClient(url.rstrip("/"), session=session)
    made = image()
    made.preamble = bytes(128)
    answer = client.store_instances([made])
    assert [each.ReferencedSOPInstanceUID for each in answer.ReferencedSOPSequence] == [made.SOPInstanceUID]
    assert client.search_for_studies(search_filters={"StudyInstanceUID": made.StudyInstanceUID}) == []


@pytest.mark.safeguard("164.312(d)", "164.312(e)(1)")
def test_strangers_and_the_unencrypted_stay_outside(
    http: tuple[requests.Session, str], north: SenderApi, read: Reading
) -> None:
    session, url = http
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic bm9ydGg6eA=="}):
        answer = session.get(f"{url}studies", headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    plain = read.connection.api_url(read.outputs["ApiUrl"])
    answer = session.get(f"{plain}studies", headers={"Authorization": north._authorization})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "tls_required")


@pytest.mark.parametrize("size", [5_000_000, 12_000_000])
def test_too_much_for_a_request_is_told_the_way(
    http: tuple[requests.Session, str], north: SenderApi, size: int
) -> None:
    session, url = http
    kind = 'multipart/related; type="application/dicom"; boundary=b'
    headers = {"Content-Type": kind, "Authorization": north._authorization}
    answer = session.post(f"{url}studies", data=bytes(size), headers=headers)
    assert answer.status_code == 413
    assert "POST /uploads" in answer.text


def test_a_modality_by_the_relay(read: Reading, north: SenderApi, tmp_path: Path) -> None:
    """dcmtk's storescu -> C-STORE -> disk -> request or link -> the study."""
    store = program("storescu")
    images = [image(), image(size=BIG)]
    for number, each in enumerate(images):
        (tmp_path / f"{number}.dcm").write_bytes(bytes_of(each))
    spool = Spool(tmp_path / "spool", 1 << 30)
    with listening(spool, "127.0.0.1", 0, "CUATRO") as port:
        command = [str(store), "-aec", "CUATRO", "127.0.0.1", str(port), *map(str, sorted(tmp_path.glob("*.dcm")))]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    told: list[str] = []
    forward(spool, north, lambda seconds: seconds > 0, told.append)
    assert [line.rpartition(" ")[2] for line in told] == ["sent", "sent"]
    for each in images:
        assert counted(north, each.StudyInstanceUID)["instances"] == 1
