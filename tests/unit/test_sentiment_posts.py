"""Posts from outside, and the keys and times made of them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from cuatro.errors import Rejected
from cuatro.posts import (
    Post,
    decode_incoming,
    decode_incoming_posts,
    decode_post,
    decode_scored,
    encode,
    post_key,
    primary,
    raw_line,
    written,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POST = Post(network="web", id="1", brand="northwind", text="hi", time=NOW, collected_at=NOW)


def body(**changes: Any) -> bytes:
    return json.dumps({"version": 1, "id": "1", "text": "hi", **changes}).encode()


def test_a_post_survives_the_way() -> None:
    assert decode_post(encode(POST)) == POST
    assert json.loads(raw_line(POST))["dt"] == "2026-11-23"
    line = msgspec.json.decode(encode(POST)) | {
        "language": "en", "label": "neutral", "probabilities": [0.2, 0.5, 0.3], "unsure": False, "backend": "onnx",
        "model_version": "1", "classified_at": "2026-11-23T12:00:00Z", "fingerprint": "", "repost": False,
        "dt": "2026-11-23", "later": "fields are ignored",
    }  # fmt: skip
    assert decode_scored(json.dumps(line).encode()).probabilities == (0.2, 0.5, 0.3)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"id": ""}, "id", "invalid_value"),
        ({"id": "a\nb"}, "id", "invalid_value"),
        ({"id": "x" * 513}, "id", "invalid_value"),
        ({"repost_of": "\u202e"}, "repost_of", "invalid_value"),
        ({"url": "ftp://a.example"}, "url", "invalid_value"),
        ({"url": "https://a.example/\"onload="}, "url", "invalid_value"),
        ({"likes": -1}, "likes", "out_of_range"),
        ({"text": 5}, "text", "wrong_type"),
        ({"time": "2026-11-23T12:00:00"}, "time", "time_without_zone"),
        ({"brand": "A"}, "brand", "invalid_value"),
        ({"version": 2}, "version", "unknown_version"),
        ({"text": "x" * 262_144}, None, "oversized"),
    ],
)  # fmt: skip
def test_what_is_no_post(changes: dict[str, Any], field: str | None, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        decode_incoming(body(**changes))
    assert (refused.value.field, refused.value.code) == (field, code)


def test_one_bad_post_costs_the_others_nothing() -> None:
    good, bad = decode_incoming_posts(b'{"posts":[%b,{},%b]}' % (body(), body(text="\ud800")))
    assert [(place, each.text) for place, each in good] == [(0, "hi"), (2, "\ufffd")]
    assert [(place, each.code) for place, each in bad] == [(1, "missing_field")]


def test_keys_are_short_and_tell_ids_apart() -> None:
    assert post_key("northwind", "web", "a#b") == "northwind#web#a#b"
    long = [post_key("northwind", "web", "x" * 400 + end) for end in "ab"]
    assert len(set(long)) == 2
    assert all(len(key) < 80 for key in long)


def test_nobody_writes_in_the_future() -> None:
    assert written(None, NOW) == (NOW, False)
    assert written(NOW + timedelta(seconds=299), NOW)[1] is False
    assert written(NOW + timedelta(seconds=301), NOW) == (NOW, True)
    early = datetime.fromisoformat("2026-11-23T00:30:00.123456+02:00")
    assert written(early, NOW) == (datetime(2026, 11, 22, 22, 30, 0, 123000, UTC), False)


@pytest.mark.parametrize(
    ("told", "subtag"),
    [("pt-BR", "pt"), ("EN_us", "en"), ("und", None), ("", None), (None, None), ("klingon", None), ("<b>", None)],
)
def test_the_primary_subtag(told: str | None, subtag: str | None) -> None:
    assert primary(told) == subtag
