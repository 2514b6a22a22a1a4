"""A result on its way to a sender's server: the request is what PS3.18 says, by TLS; the answer means what it says."""

from email.parser import BytesParser
from typing import Any

import pytest

from cuatro.errors import Rejected
from functions.imaging.stow_push import request, verdict

DICOM = bytes(128) + b"DICM\r\n--\r\nwhatever"


@pytest.mark.parametrize(
    ("destination", "url"),
    [
        ("https://pacs.example.org/dicom-web", "https://pacs.example.org/dicom-web/studies"),
        ("https://pacs.example.org/dicom-web/", "https://pacs.example.org/dicom-web/studies"),
        ("https://pacs.example.org/rs/studies", "https://pacs.example.org/rs/studies"),
        ("https://pacs.example.org:8443/rs?tenant=1#x", "https://pacs.example.org:8443/rs/studies?tenant=1"),
    ],
)
def test_the_request_goes_to_the_servers_studies(destination: str, url: str) -> None:
    assert request(destination, "", DICOM, private=False).url == url


def test_the_object_arrives_as_it_was_sent() -> None:
    made = request("https://pacs.example.org", "X-Api-Key: secret:with:colons", DICOM, private=False)
    assert made.headers["X-Api-Key"] == "secret:with:colons"
    message = BytesParser().parsebytes(
        b"Content-Type: " + made.headers["Content-Type"].encode() + b"\r\n\r\n" + made.body
    )
    (part,) = message.get_payload()
    assert part.get_content_type() == "application/dicom"
    assert part.get_payload(decode=True) == DICOM
    assert request("https://pacs.example.org", "", DICOM, private=False).body == made.body


@pytest.mark.safeguard("164.312(e)(1)", "164.312(e)(2)(ii)")
@pytest.mark.parametrize(
    ("destination", "private"),
    [
        ("http://pacs.example.org/dicom-web", False),
        ("http://pacs.example.org/dicom-web", True),
        ("http://10.1.2.3/dicom-web", True),
        ("http://127.0.0.1:8042/dicom-web", False),
        ("http://loopback.example.org/dicom-web", True),  # a name may lead anywhere
        ("//pacs.example.org", False),
        ("", False),
    ],
)
def test_results_travel_by_tls_only(destination: str, private: bool) -> None:
    with pytest.raises(Rejected) as caught:
        request(destination, "", DICOM, private=private)
    assert caught.value.code == "not_encrypted"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "[::1]"])
def test_within_the_machine_they_need_none_where_that_is_allowed(host: str) -> None:
    assert request(f"http://{host}:8042/dicom-web", "", DICOM, private=True).url.endswith("/dicom-web/studies")


def test_a_header_cannot_bring_another_one() -> None:
    for header in ("Authorization", ": x", "A: b\r\nC: d", "A: \n", "A b: c", "A: é"):
        with pytest.raises(Rejected):
            request("https://pacs.example.org", header, DICOM, private=False)


FAILED: dict[str, Any] = {"00081198": {"vr": "SQ", "Value": [{}]}}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (200, b"{}", "taken"),
        (200, b"<xml/>", "taken"),
        (200, b"", "taken"),
        (202, b'{"00081196": {"vr": "US", "Value": [45056]}}', "taken"),
        (202, b'{"00081198": {"vr": "SQ", "Value": [{}]}}', "refused"),
        (202, b'{"00081198": {"vr": "SQ"}}', "taken"),
        (202, b'{"00081198": {"vr": "SQ", "Value": 3}}', "taken"),
        (202, b'{"00081198": 3}', "taken"),
        (201, b"{}", "refused"),
        (302, b"", "refused"),
        (409, b"{}", "refused"),
        (429, b"", "again"),
        (408, b"", "again"),
        (500, b"", "again"),
        (503, b"", "again"),
    ],
)
def test_an_answer_means_what_it_says(status: int, body: bytes, meaning: str) -> None:
    assert verdict(status, body) == meaning
