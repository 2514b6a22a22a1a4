"""QIDO-RS, WADO-RS, links and status by plain requests: filters, pages, media types, what is not there yet."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.functional.imaging.dicomweb import STUDY, STUDY_UID, read
from tests.functional.imaging.images import file, image
from tests.functional.imaging.suite import Suite
from tests.functional.stage import client

ALL = [3, 2, 1]
JSON = {"Content-Type": "application/json"}


def found(suite: Suite, **query: Any) -> list[str]:
    """PatientID of the studies found."""
    given = {name: value if isinstance(value, list) else [value] for name, value in query.items()}
    answer = suite.call("GET", "/studies", query=given)
    assert answer.status == 200, answer.body
    return [each["00100020"]["Value"][0] for each in answer.json]


@pytest.fixture
def three(suite: Suite) -> Suite:
    """Of three studies; a fourth is another sender's, a fifth has no results yet."""
    for study in (1, 2, 3):
        read(suite, study=study)
    read(suite, study=4, sender="south")
    suite.stow(file(image(1, 5)))
    suite.receive()
    return suite


def test_the_newest_come_first_in_pages(three: Suite) -> None:
    assert found(three) == ["PHANTOM-3", "PHANTOM-2", "PHANTOM-1"]
    assert found(three, limit="1", offset="1") == ["PHANTOM-2"]
    assert found(three, limit="2") == ["PHANTOM-3", "PHANTOM-2"]
    assert found(three, offset="3") == []
    assert found(three, limit="0") == []


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({"PatientID": "PHANTOM-2"}, [2]),
    ({"00100020": "PHANTOM-*"}, ALL),
    ({"PatientName": "phantom*"}, ALL),
    ({"PatientName": "Other^*"}, []),
    ({"StudyDate": "20240101-20240103"}, ALL),
    ({"StudyDate": "20250101-"}, []),
    ({"ModalitiesInStudy": "SR"}, ALL),
    ({"ModalitiesInStudy": "CT"}, []),
    ({"AccessionNumber": "A1"}, ALL),
    ({"StudyInstanceUID": STUDY_UID}, [1]),
    ({"StudyInstanceUID": [STUDY_UID, "1.2.3"]}, [1]),
    ({"StudyInstanceUID": image(1, 4).StudyInstanceUID}, []),
    ({"includefield": "all", "fuzzymatching": "false"}, ALL),
]


def test_filters(three: Suite) -> None:
    for query, numbers in FILTERS:
        assert found(three, **query) == [f"PHANTOM-{number}" for number in numbers], query


@pytest.mark.parametrize("query", [{"Nonsense": "1"}, {"limit": "-1"}, {"limit": "many"}, {"offset": "1e3"}])
def test_a_query_that_is_none_is_refused(suite: Suite, query: dict[str, str]) -> None:
    answer = suite.call("GET", "/studies", query={name: [value] for name, value in query.items()})
    assert (answer.status, answer.json["error"]["code"]) == (400, "invalid_value")


def test_what_is_not_done_is_said(suite: Suite) -> None:
    answer = suite.call("GET", "/studies", query={"fuzzymatching": ["true"]})
    assert answer.headers["Warning"].startswith("299 ")


def test_a_study_without_results_is_not_found_but_has_a_status(three: Suite) -> None:
    uid = image(1, 5).StudyInstanceUID
    assert three.call("GET", "/studies/{study}", study=uid).status == 404
    answer = three.call("GET", "/status/{study}", study=uid).json
    assert (answer["state"], answer["instances"], answer["waiting"], answer["outcome"]) == ("arriving", 1, 1, None)
    assert three.call("GET", "/status/{study}", study="1.2.3").status == 404
    assert three.call("GET", "/status/{study}", study=uid, sender="south").status == 404


def test_the_status_tells_what_was_refused_and_the_outcome(suite: Suite) -> None:
    suite.stow(file(image(1)))
    suite.receive()
    suite.drop("drop/north/changed", file(image(1, PixelData=bytes(16))))
    suite.receive()
    read(suite)
    answer = suite.call("GET", "/status/{study}", study=STUDY_UID).json
    assert answer["refused"] == [{"code": "duplicate_instance", "count": 1}]
    assert (answer["state"], answer["results"]) == ("read", 2)
    assert answer["outcome"]["verdict"] == "pneumonia"
    assert STUDY not in str(answer)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("", 200), ("*/*", 200), ('multipart/related; type="application/dicom"; transfer-syntax=*', 200),
        ("application/dicom", 406), ("image/jpeg", 406), ("multipart/related;q=0, image/jpeg", 406),
    ],
)  # fmt: skip
def test_results_are_multipart(suite: Suite, accept: str, status: int) -> None:
    made = read(suite)
    answer = suite.call("GET", "/studies/{study}", headers={"Accept": accept}, study=STUDY_UID)
    assert answer.status == status
    if status == 200:
        assert answer.parts == [file(each) for each in made]
        assert answer.headers["Cache-Control"] == "no-store"


def test_one_result_may_come_alone(suite: Suite) -> None:
    made = read(suite)[0]
    resource = "/studies/{study}/series/{series}/instances/{instance}"
    uids = {"study": STUDY_UID, "series": made.SeriesInstanceUID, "instance": made.SOPInstanceUID}
    answer = suite.call("GET", resource, headers={"Accept": "application/dicom"}, **uids)
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "application/dicom", file(made))
    assert suite.call("GET", resource, **{**uids, "series": "1.2.3"}).status == 404
    assert suite.call("GET", resource + "/metadata", headers={"Accept": "application/dicom"}, **uids).status == 406


@pytest.mark.safeguard("164.312(b)")
def test_the_ledger_is_told_before_anything_is_given(suite: Suite) -> None:
    read(suite)
    suite.wire.down("SendMessage")
    assert suite.call("GET", "/studies/{study}", study=STUDY_UID).status == 503
    assert suite.call("GET", "/studies").status == 503


@pytest.mark.parametrize("operation", ["BatchGetItem", "GetObject", "HEAD", "GetSecretValue"])
def test_what_is_away_is_told_as_503(suite: Suite, operation: str) -> None:
    read(suite)
    suite.wire.down(operation)
    answer = suite.call("GET", "/studies/{study}", study=STUDY_UID)
    assert (answer.status, answer.json["error"]["code"]) == (503, "unavailable")


def test_a_result_that_is_gone_or_damaged_is_no_answer(suite: Suite) -> None:
    read(suite)
    read(suite, study=2)
    suite.s3.put_object(Bucket="identified", Key=f"results/{STUDY}/1/sr.dcm", Body=b"damaged")
    assert found(suite) == ["PHANTOM-2"]
    assert "could not be read" in suite.call("GET", "/studies").headers["Warning"]
    assert suite.call("GET", "/studies/{study}/metadata", study=STUDY_UID).status == 503
    suite.s3.delete_object(Bucket="identified", Key=f"results/{STUDY}/1/sr.dcm")
    assert suite.call("GET", "/studies/{study}", study=STUDY_UID).status == 503


def test_a_link_takes_one_object_of_the_size_that_was_said(suite: Suite) -> None:
    answer = suite.call("POST", "/uploads", b'{"uploads": [{"bytes": 5000000}, {"bytes": 10}]}', JSON)
    assert answer.status == 201
    first, second = answer.json["uploads"]
    assert (first["method"], first["headers"]) == ("PUT", {"Content-Length": "5000000"})
    parts = urlsplit(first["url"])
    query = parse_qs(parts.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert "content-length" in query["X-Amz-SignedHeaders"][0].split(";")
    assert int(query["X-Amz-Expires"][0]) <= 900
    assert parts.path.rpartition("/")[0].endswith("inbox/north")
    assert first["url"] != second["url"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{}", 400), (b'{"uploads": []}', 400), (b'{"uploads": [{"bytes": 0}]}', 400),
        (b'{"uploads": [{"bytes": "1"}]}', 400), (b'{"version": 2, "uploads": [{"bytes": 1}]}', 400),
        (b'{"uploads": [' + b'{"bytes": 1},' * 100 + b'{"bytes": 1}]}', 400),
        (b'{"uploads": [{"bytes": 524288000}]}', 413),
    ],
)  # fmt: skip
def test_links_that_are_not_given(suite: Suite, body: bytes, status: int) -> None:
    assert suite.call("POST", "/uploads", body, JSON).status == status


def test_what_came_by_a_link_is_received(suite: Suite, policy: Callable[..., None]) -> None:
    policy(max_object_mb=1)
    answer = suite.call("POST", "/uploads", b'{"uploads": [{"bytes": 1}]}', JSON)
    key = urlsplit(answer.json["uploads"][0]["url"]).path.lstrip("/").removeprefix("identified/")
    client("s3").put_object(Bucket="identified", Key=key, Body=file(image()) + bytes(2 << 20))
    suite.receive()
    (row,) = suite.items("instances").values()
    assert (row["s"], row["why"], row["o"]) == ("rejected", "oversized", "north")
    assert row["instance"] == key.rpartition("/")[2]
