"""Objects of S3, plain or packed, as lines; what is damaged is told, what is away is Unavailable."""

import gzip
import json
import random

import pytest

from cuatro.adapters import objects
from cuatro.errors import Refused, Rejected, Unavailable
from tests.functional.suite import Suite

LINES = [json.dumps({"n": n, "noise": random.Random(n).random()}).encode() for n in range(20_000)]
BODY = b"\n".join(LINES) + b"\n"
HALF = BODY.index(b"\n", len(BODY) // 2) + 1


@pytest.mark.parametrize(
    "content",
    [
        BODY,
        BODY[:-1],
        gzip.compress(BODY, 1),
        gzip.compress(BODY[:HALF]) + gzip.compress(BODY[HALF:]),
        gzip.compress(BODY[:HALF]) + gzip.compress(b"") + gzip.compress(BODY[HALF:]),
    ],
    ids=["plain", "without an end", "packed", "packed twice", "packed with an empty part"],
)
def test_lines_come_as_they_were_written(suite: Suite, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.s3.put_object(Bucket="lake", Key="k", Body=content)
    assert list(objects.lines("lake", "k")) == LINES
    monkeypatch.setattr(objects, "_CHUNK", 997)
    assert list(objects.lines("lake", "k")) == LINES


def test_a_repetitive_object_is_unpacked_a_piece_at_a_time(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_CHUNK", 1000)
    content = gzip.compress(b"x" * 99 + b"\n") * 3 + gzip.compress(b"y\n" * 50_000)
    suite.s3.put_object(Bucket="lake", Key="k", Body=content)
    found = list(objects.lines("lake", "k"))
    assert found == [b"x" * 99] * 3 + [b"y"] * 50_000


def test_a_damaged_object_is_told(suite: Suite) -> None:
    suite.s3.put_object(Bucket="lake", Key="cut", Body=gzip.compress(BODY)[:-9])
    with pytest.raises(Rejected, match="cut is damaged: it ends in the middle"):
        list(objects.lines("lake", "cut"))
    suite.s3.put_object(Bucket="lake", Key="bad", Body=b"\x1f\x8b" + b"nonsense" * 10)
    with pytest.raises(Rejected, match="bad is damaged"):
        list(objects.lines("lake", "bad"))


def test_a_listing_has_every_page(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    keys = [f"a/{number:04d}" for number in range(8)]
    for key in [*keys, "b/0"]:
        suite.s3.put_object(Bucket="lake", Key=key, Body=b"xy")
    suite.wire.calls.clear()
    found = list(objects.listed("lake", "a/"))
    assert suite.wire.calls["GetObject"] == 3, "pages, by GET"
    assert ([each.key for each in found], {each.size for each in found}) == (keys, {2})


def test_what_is_too_large_absent_or_away(suite: Suite) -> None:
    suite.s3.put_object(Bucket="lake", Key="some/where", Body=b"12345")
    assert objects.read("s3://lake/some/where", 5) == b"12345"
    with pytest.raises(Rejected, match="more than 4 bytes"):
        objects.read("s3://lake/some/where", 4)
    with pytest.raises(Refused, match="NoSuchKey"):
        objects.read("s3://lake/else", 5)
    suite.wire.down("GetObject")
    with pytest.raises(Unavailable):
        objects.read("s3://lake/some/where", 5)
