"""The code of `cuatro send study` against the API's function: files go out, what becomes of them is told."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from functions.imaging.stow import MAX_BODY
from local.feed.studies import SenderApi, Sent, files, send
from local.platform.errors import PlatformError
from tests.functional.imaging.dicomweb import STUDY_UID, URL, ToTheFunction
from tests.functional.imaging.images import file, image
from tests.functional.imaging.suite import Suite
from tests.functional.stage import client


class Http:
    """In place of botocore's connections: to the function, and to S3 by a link."""

    def __init__(self, suite: Suite) -> None:
        self._to = ToTheFunction(suite)
        self.sent: list[tuple[str, str, int]] = []

    def send(self, request: Any) -> requests.Response:
        body = request.body or b""
        host = urlsplit(request.url).hostname
        self.sent.append((request.method, str(host), len(body)))
        if host != "imaging.test":
            key = urlsplit(request.url).path.lstrip("/").removeprefix("identified/")
            client("s3").put_object(Bucket="identified", Key=key, Body=body)
            found = requests.Response()
            found.status_code = 200
            return found
        headers = {
            name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
        }
        return self._to.send(requests.Request(request.method, request.url, headers=headers, data=body).prepare())


@pytest.fixture
def api(suite: Suite) -> SenderApi:
    made = SenderApi(URL, None, "north", "token")
    made._http = Http(suite)  # type: ignore[assignment]
    return made


def sent(api: SenderApi, *paths: Path) -> Sent:
    total = Sent()
    for each in send(api, files(paths)):
        total.add(each)
    return total


def test_a_folder_goes_out_in_few_requests_and_the_big_ones_by_link(
    api: SenderApi, suite: Suite, tmp_path: Path
) -> None:
    (tmp_path / "series").mkdir()
    for number in range(3):
        (tmp_path / "series" / f"{number}").write_bytes(file(image(number)))
    big = image(7, PixelData=bytes(MAX_BODY))
    (tmp_path / "big.dcm").write_bytes(file(big))
    (tmp_path / "DICOMDIR").write_bytes(file(image(9)))
    (tmp_path / "readme.txt").write_text("no image")
    total = sent(api, tmp_path)
    assert (len(total.instances), total.by_link, total.refused, total.studies) == (3, 1, [], {STUDY_UID})
    assert [method for method, *_ in api._http.sent] == ["POST", "PUT", "POST"]  # type: ignore[attr-defined]
    suite.receive()
    assert {row["s"] for row in suite.items("instances").values()} == {"received"}
    (study,) = suite.items("studies").values()
    assert study["c"] == 4
    told = api.status(STUDY_UID)
    assert told is not None
    assert (told["state"], told["instances"]) == ("arriving", 4)
    assert api.status("1.2.3") is None


def test_many_files_are_several_requests(api: SenderApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.feed.studies.MAX_BODY", 6_000)
    for number in range(5):
        (tmp_path / f"{number}").write_bytes(file(image(number)))
    assert len(sent(api, tmp_path).instances) == 5
    sizes = [size for *_, size in api._http.sent]  # type: ignore[attr-defined]
    assert len(sizes) == 3
    assert max(sizes) <= 6_000


def test_what_is_refused_is_told_with_its_reason(api: SenderApi, tmp_path: Path) -> None:
    sent_before = tmp_path / "a"
    sent_before.write_bytes(file(image(1)))
    changed, broken = tmp_path / "b", tmp_path / "c"
    changed.write_bytes(file(image(1, PixelData=bytes(16))))
    broken.write_bytes(bytes(128) + b"DICM" + b"nothing of sense")
    total = sent(api, tmp_path)
    assert total.instances == [image(1).SOPInstanceUID]
    assert [why for _, why in total.refused] == ["another image has this UID", "it is not DICOM that can be read"]
    assert str(sent_before) in total.refused[1][0]


def test_who_is_not_let_in_is_told_what_to_do(api: SenderApi, suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(file(image(1)))
    api._http._to._sender = ""  # type: ignore[attr-defined]
    with pytest.raises(PlatformError, match="does not know this sender") as told:
        sent(api, tmp_path)
    assert "cuatro sender add" in told.value.advice


def test_a_path_that_is_not_there_is_told(api: SenderApi, tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="There is no"):
        sent(api, tmp_path / "nothing")


def test_what_is_away_for_a_moment_is_asked_again(
    api: SenderApi, suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.feed.studies.FIRST_WAIT", 0)
    (tmp_path / "a").write_bytes(file(image(1)))
    suite.wire.down("BatchGetItem", times=4)
    assert len(sent(api, tmp_path).instances) == 1
    suite.wire.down("PutObject")
    (tmp_path / "a").write_bytes(file(image(2)))
    with pytest.raises(PlatformError, match="cannot be done at the moment"):
        sent(api, tmp_path)
