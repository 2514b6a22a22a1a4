"""A hospital's programs speak HTTP by `requests`: its calls go to the API's function, as API Gateway does it."""

import re
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
from dicomweb_client.api import DICOMwebClient
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from functions.imaging.outcome import with_results
from functions.imaging.progress import Result
from tests.functional.imaging.images import file, image
from tests.functional.imaging.suite import NAMES, Suite
from tests.functional.stage import client

URL = "https://imaging.test/v1"
_STAGE = "/v1"
SR, SC = "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.7"
STUDY_UID = image().StudyInstanceUID
STUDY = NAMES.study(STUDY_UID)


class ToTheFunction(BaseAdapter):
    """Instead of a connection; a pre-signed link of S3 is followed as well."""

    def __init__(self, suite: Suite, sender: str = "north") -> None:
        super().__init__()
        self._suite, self._sender = suite, sender

    def send(self, request: requests.PreparedRequest, **_given: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        if parts.hostname != "imaging.test":
            return self._object(request, parts.path)
        from functions.imaging.api.handler import app  # noqa: PLC0415 - reads the test's environment

        path = parts.path.removeprefix(_STAGE)
        for resource in app.routes:
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", resource)
            if (found := re.fullmatch(pattern, path)) and request.method in app.routes[resource]:
                named = {name: unquote(value) for name, value in found.groupdict().items()}
                body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
                headers, query = dict(request.headers), parse_qs(parts.query)
                answer = self._suite.call(str(request.method), resource, body, headers, self._sender, query, **named)
                return _response(request, answer.status, dict(answer.headers), answer.body)
        return _response(request, 404, {}, b"")

    def close(self) -> None:
        """Nothing is open."""

    def _object(self, request: requests.PreparedRequest, path: str) -> requests.Response:
        key = path.lstrip("/").removeprefix("identified/")
        found = self._suite.s3.get_object(Bucket="identified", Key=key)
        assert "Authorization" not in request.headers, "S3 refuses a link with other credentials beside it"
        return _response(request, 200, {"Content-Type": found["ContentType"]}, found["Body"].read())


def session(suite: Suite, sender: str = "north") -> requests.Session:
    """Every https call of it goes to the function."""
    made = requests.Session()
    made.mount("https://", ToTheFunction(suite, sender))
    made.auth = (sender, "token")
    return made


def dicomweb(suite: Suite, sender: str = "north") -> DICOMwebClient:
    """dicomweb-client, as that sender."""
    return DICOMwebClient(URL, session=session(suite, sender))


def read(suite: Suite, *, study: int = 1, sender: str = "north", revision: int = 1, size: int = 0) -> list[Any]:
    """A study's row and results, as they are when it has been read: a report, and an image of `size` more bytes."""
    original = image(1, study)
    identity = NAMES.study(original.StudyInstanceUID)
    results, made = [], []
    for number, (kind, sop_class) in enumerate((("sr", SR), ("sc", SC))):
        dataset = image(
            100 * revision + number, study, SOPClassUID=sop_class, Modality="SR" if kind == "sr" else "OT",
            SeriesInstanceUID=f"2.25.{study}{revision}{number}", SeriesNumber=number + 1, InstanceNumber=1,
            SeriesDescription=f"AI {kind}",
        )  # fmt: skip
        if kind == "sr":
            for name in ("PixelData", "Rows", "Columns"):
                delattr(dataset, name)
        elif size:
            dataset.PixelData = bytes(size)
        key = f"results/{identity}/{revision}/{kind}.dcm"
        suite.s3.put_object(Bucket="identified", Key=key, Body=file(dataset))
        uids = {"series": str(dataset.SeriesInstanceUID), "instance": str(dataset.SOPInstanceUID)}
        results.append(Result(kind=kind, key=key, sop_class=sop_class, **uids))  # type: ignore[arg-type]
        made.append(dataset)
    before = suite.items("studies").get(identity, {}).get("k", "")
    row = {
        "study": identity, "s": "read", "o": sender, "p": "p" * 26, "k": with_results(before, revision, tuple(results)),
        "v": '{"revision":1,"verdict":"pneumonia","by":"review"}',
    }  # fmt: skip
    numbers = {"n": 3, "r": revision, "t": 1_700_000_000_000 + study, "c": 1, "w": 0}
    item = {name: {"S": value} for name, value in row.items()} | {name: {"N": str(n)} for name, n in numbers.items()}
    client("dynamodb").put_item(TableName="studies", Item=item)
    return made


def _response(
    request: requests.PreparedRequest, status: int, headers: dict[str, Any], body: bytes
) -> requests.Response:
    made = requests.Response()
    made.status_code, made.raw, made.request, made.url = status, BytesIO(body), request, str(request.url)
    made.headers = CaseInsensitiveDict(headers)
    made._content = body
    return made
