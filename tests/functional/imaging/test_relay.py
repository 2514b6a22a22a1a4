"""The relay between a hospital and the pipeline: DICOM and STOW-RS come in, are on disk, and go on when they can."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import typer
from dicomweb_client.api import DICOMwebClient
from pynetdicom import AE
from pynetdicom.sop_class import DigitalXRayImageStorageForPresentation, Verification  # type: ignore[attr-defined]
from typer.testing import CliRunner

from functions.imaging.header import header
from functions.imaging.stow import MAX_BODY
from local.cli.relay import relay
from local.feed.studies import Sent
from local.platform.errors import PlatformError
from local.relay import dicomweb, spool
from local.relay.association import listening
from local.relay.forwarding import forward
from local.relay.serving import serving
from local.relay.spool import FullError, Spool
from tests.functional.imaging.dicomweb import STUDY_UID
from tests.functional.imaging.images import file, image
from tests.functional.imaging.suite import Suite
from tests.functional.imaging.test_sending import Http, SenderApi
from tests.waiting import eventually


@pytest.fixture
def kept(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", 100_000_000)


@pytest.fixture
def web(kept: Spool) -> Iterator[str]:
    with serving(dicomweb.Receiver(kept), "127.0.0.1", 0, dicomweb.MAX_BODY) as port:
        yield f"http://127.0.0.1:{port}"


TAKEN = Sent(instances=["1.2"])


class Pipeline:
    """answers: what the API does with one image after the other; at the end the relay ends."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.taken: list[bytes] = []
        self.waits: list[float] = []
        self.told: list[str] = []

    def store(self, files: list[tuple[str, bytes]]) -> Sent:
        ((_, content),) = files
        answer = self.answers.pop(0) if self.answers else TAKEN
        if isinstance(answer, Exception):
            raise answer
        if not answer.refused:
            self.taken.append(content)
        return answer

    def upload(self, name: str, content: bytes) -> Sent:
        self.taken.append(content)
        return Sent(by_link=1)

    def wait(self, seconds: float) -> bool:
        """Over once there is nothing left to answer; a wait of 0 only asks."""
        if seconds:
            self.waits.append(seconds)
        return bool(seconds) and not self.answers

    def run(self, kept: Spool) -> None:
        forward(kept, self, self.wait, self.told.append)


def contents(kept: Spool) -> list[bytes]:
    return [path.read_bytes() for path in kept.waiting()]


def uid(content: bytes) -> str:
    return header(content).instance


def test_from_a_modality_to_the_pipelines_rows(suite: Suite, kept: Spool, web: str) -> None:
    """One image by C-STORE, one by STOW-RS, one that no request could hold; each arrives byte for byte."""
    big = image(3, PixelData=bytes(MAX_BODY))
    with listening(kept, "127.0.0.1", 0, "CUATRO") as port:
        entity = AE(ae_title="MODALITY")
        entity.add_requested_context(DigitalXRayImageStorageForPresentation, "1.2.840.10008.1.2.1")
        entity.add_requested_context(Verification)
        association = entity.associate("127.0.0.1", port, ae_title="CUATRO")
        assert association.is_established
        assert association.send_c_echo().Status == 0x0000
        assert association.send_c_store(image(1)).Status == 0x0000
        association.release()
    DICOMwebClient(web).store_instances([image(2), big], study_instance_uid=STUDY_UID)
    assert sorted(map(uid, contents(kept))) == sorted(image(number).SOPInstanceUID for number in (1, 2, 3))
    waiting = set(contents(kept))
    api = SenderApi("https://imaging.test/v1", None, "north", "token")
    api._http = Http(suite)  # type: ignore[assignment]
    told: list[str] = []
    forward(kept, api, lambda seconds: seconds > 0, told.append)
    assert contents(kept) == []
    assert len([line for line in told if line.endswith(" sent")]) == 3
    suite.receive()
    (study,) = suite.items("studies").values()
    assert (study["c"], study["o"]) == (3, "north")
    assert set(suite.objects("identified").values()) == waiting
    assert "Phantom" not in str(told)


def test_a_modality_that_may_not_call_is_turned_away(kept: Spool) -> None:
    with listening(kept, "127.0.0.1", 0, "CUATRO", ["KNOWN"]) as port:
        entity = AE(ae_title="STRANGER")
        entity.add_requested_context(Verification)
        assert entity.associate("127.0.0.1", port).is_rejected


def test_a_full_spool_says_so(tmp_path: Path) -> None:
    small = Spool(tmp_path, 10)
    with pytest.raises(FullError):
        small.add(file(image()))
    with serving(dicomweb.Receiver(small), "127.0.0.1", 0, dicomweb.MAX_BODY) as port:
        body = b"--b\r\n\r\n" + file(image()) + b"\r\n--b--"
        kind = {"Content-Type": "multipart/related; boundary=b"}
        assert requests.post(f"http://127.0.0.1:{port}/studies", body, headers=kind, timeout=10).status_code == 507
    with listening(small, "127.0.0.1", 0, "CUATRO") as port:
        entity = AE()
        entity.add_requested_context(DigitalXRayImageStorageForPresentation, "1.2.840.10008.1.2.1")
        association = entity.associate("127.0.0.1", port)
        assert association.send_c_store(image()).Status == 0xA700
        association.release()


def test_what_waits_goes_in_order_and_survives_the_end(kept: Spool, tmp_path: Path) -> None:
    for number in range(3):
        kept.add(file(image(number)))
    pipeline = Pipeline(*[TAKEN, PlatformError("away", ""), TAKEN, TAKEN])
    pipeline.run(Spool(tmp_path / "spool", 100_000_000))
    assert pipeline.taken == [file(image(0)), file(image(1)), file(image(2))]
    assert contents(kept) == []


def test_a_pipeline_that_is_away_is_asked_later_and_later(kept: Spool) -> None:
    kept.add(file(image(1)))
    again = Sent(refused=[("1.2", "it could not be kept now; send it again")])
    pipeline = Pipeline(*[PlatformError("away", "")] * 7, again, TAKEN)
    pipeline.run(kept)
    assert pipeline.waits[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pipeline.taken == [file(image(1))]
    assert kept.refused() == {}


def test_what_is_refused_is_kept_apart_with_its_reason_and_holds_nothing_up(kept: Spool, tmp_path: Path) -> None:
    digest = kept.add(file(image(1)))
    kept.add(file(image(2)))
    pipeline = Pipeline(Sent(refused=[("1.2", "another image has this UID")]), TAKEN)
    pipeline.run(kept)
    assert pipeline.taken == [file(image(2))]
    assert kept.refused() == {digest: "another image has this UID"}
    assert (tmp_path / "spool" / "refused" / digest).read_bytes() == file(image(1))


@pytest.mark.safeguard("164.312(a)(1)")
def test_half_a_file_is_none_and_the_directory_is_its_owners(tmp_path: Path, kept: Spool) -> None:
    (tmp_path / "spool" / "waiting" / "1-abc.part").write_bytes(b"half")
    assert contents(Spool(tmp_path / "spool", 1_000)) == []
    kept.add(b"whole")
    kept.add(b"whole")
    (path,) = kept.waiting()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_disk_that_fails_is_no_success(kept: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(spool.os, "fsync", fails)
    with pytest.raises(FullError):
        kept.add(b"lost")
    assert contents(kept) == []


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/studies", {}, 405),
        ("POST", "/patients", {}, 404),
        ("POST", "/studies", {"Content-Type": "application/json"}, 415),
        ("POST", "/studies", {"Content-Type": "multipart/related; boundary=x"}, 400),
    ],
)
def test_requests_that_are_none(web: str, method: str, path: str, headers: dict[str, str], status: int) -> None:
    assert requests.request(method, web + path, data=b"x", headers=headers, timeout=10).status_code == status


def test_images_that_are_none_and_of_another_study_are_refused_at_once(kept: Spool, web: str) -> None:
    body = b"".join(b"--b\r\n\r\n" + each + b"\r\n" for each in (b"no image", file(image(1, 2)))) + b"--b--"
    kind = {"Content-Type": "multipart/related; boundary=b"}
    answer = requests.post(f"{web}/dicom-web/studies/{STUDY_UID}", data=body, headers=kind, timeout=10)
    assert answer.status_code == 409
    assert answer.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xA900]
    assert contents(kept) == []


def test_the_command_serves_until_it_is_ended(suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = SenderApi("https://imaging.test/v1", None, "north", "token")
    api._http = Http(suite)  # type: ignore[assignment]
    monkeypatch.setattr("local.cli.relay._api", lambda *_: api)
    waiting = Spool(tmp_path / "spool", 1_000_000)
    waiting.add(file(image(1)))
    handlers: dict[int, Any] = {}
    monkeypatch.setattr("local.cli.relay.signal.signal", handlers.setdefault)

    def end() -> None:
        eventually(lambda: signal.SIGTERM in handlers and not [*waiting.waiting()], "all is sent")
        handlers[signal.SIGTERM]()

    threading.Thread(target=end).start()
    words = ["--spool", str(tmp_path / "spool"), "--port", "0"]
    command = typer.Typer()
    command.command()(relay)
    result = CliRunner().invoke(command, words, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "Nothing waits" in result.output
    suite.receive()
    assert len(suite.items("studies")) == 1
