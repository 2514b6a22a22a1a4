"""Credentials -> the sender whose they are, and nobody else."""

import base64
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.imaging.senders import Sender, senders, whose


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def basic(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    return "Basic " + base64.b64encode(data).decode()


KNOWN = {
    "north": Sender(digest("token-n")),
    "south": Sender([digest("old-s"), digest("token-s").upper()]),
    "closed": Sender(""),
    "twin-a": Sender(digest("same")),
    "twin-b": Sender(digest("same")),
}


@pytest.mark.parametrize(
    ("given", "sender"),
    [
        ("Bearer token-n", "north"), ("bearer  token-n ", "north"), (basic("north:token-n"), "north"),
        ("Bearer token-s", "south"), ("Bearer old-s", "south"), (basic("south:old-s"), "south"),
        (basic("twin-a:same"), "twin-a"), (basic("twin-b:same"), "twin-b"),
    ],
)  # fmt: skip
def test_a_sender_is_known_by_its_token(given: str, sender: str) -> None:
    assert whose(given, KNOWN) == sender


@pytest.mark.parametrize(
    "given",
    [
        "", "Bearer", "Bearer ", "Bearer wrong", "token-n", "Digest token-n", basic("south:token-n"), basic("token-n"),
        basic("nobody:token-n"), basic(":token-n"), "Basic ???", basic(b"\xff\xfe"), "Bearer " + "x" * 5000,
        "Bearer \x00",
        basic("north:" + digest("token-n")), "Bearer " + digest("token-n"), "Bearer same", basic("closed:"),
    ],
)  # fmt: skip
def test_anybody_else_is_nobody(given: str) -> None:
    assert whose(given, KNOWN) is None


@given(st.text(max_size=80))
def test_no_text_is_a_sender_by_chance(text: str) -> None:
    assert whose(text, KNOWN) is None


def test_a_damaged_entry_does_not_take_the_others_with_it() -> None:
    good = {"sha256": digest("t"), "destination": {"url": "https://pacs.test/dicom-web"}, "issuer": "HOSPITAL"}
    found = senders({"good": good, "bad": {"sha256": 7}, "Not A Slug": good, "empty": {}, "none": None})
    assert set(found) == {"good"}
    assert found["good"].destination is not None
    assert found["good"].destination.header == ""
    assert found["good"].issuer == "HOSPITAL"
