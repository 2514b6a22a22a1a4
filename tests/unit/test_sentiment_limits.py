"""What networks answer -> how long to wait, whether people must act, or that it may be gone the next time."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from cuatro.adapters.web import Answer
from cuatro.errors import Unavailable
from functions.sentiment.sources.source import (
    LONGEST_WAIT_S,
    WAIT_S,
    Denied,
    Limit,
    Limited,
    answered,
    found,
    json_of,
    limit_of,
    until,
)

NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": datetime.fromtimestamp(NOW + 60, UTC).isoformat()},
         Limit(7, NOW + 60)),
        ({"ratelimit-remaining": "0", "ratelimit-reset": str(int(NOW) + 300)}, Limit(0, NOW + 300)),
        ({"x-rate-limit-remaining": "59", "x-rate-limit-reset": str(int(NOW) + 900)}, Limit(59, NOW + 900)),
        ({"x-ratelimit-remaining": "598.0", "x-ratelimit-reset": "120"}, Limit(598, NOW + 120)),
        ({"x-ratelimit-remaining": "many", "x-ratelimit-reset": "soon"}, Limit()),
        ({"x-ratelimit-remaining": "inf"}, Limit()),
        ({"x-ratelimit-remaining": "-3", "x-ratelimit-reset": "?"}, Limit(0, None)),
        ({}, Limit()),
    ],
)  # fmt: skip
def test_an_allowance_is_read_in_every_networks_words(headers: dict[str, str], limit: Limit) -> None:
    assert limit_of(headers, NOW) == limit


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30),
        ({"retry-after": format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True)}, 90),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "999999999"}, LONGEST_WAIT_S),
        ({"retry-after": "later"}, WAIT_S),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(NOW) + 600)}, 600),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int(NOW) - 600)}, 1),
        ({}, WAIT_S),
    ],
)
def test_too_many_requests_means_to_wait(headers: dict[str, str], seconds: float) -> None:
    assert until(headers, NOW) == pytest.approx(NOW + seconds)
    with pytest.raises(Limited):
        answered(Answer(429, headers, b"", "https://a.example"), NOW)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Denied), (403, Denied), (404, Denied), (410, Denied), (500, Unavailable),
                         (503, Unavailable), (400, Unavailable), (302, Unavailable)],
)  # fmt: skip
def test_other_answers(status: int, kind: type[Exception]) -> None:
    body = b'{"title": "Nothing\\u0000 here", "detail": "at all"}'
    with pytest.raises(kind, match="Nothing here"):
        answered(Answer(status, {}, body, "https://a.example"), NOW)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"<html>", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_may_be_whole_the_next_time(body: bytes) -> None:
    with pytest.raises(Unavailable):
        json_of(Answer(200, {}, body, "https://a.example"))


def test_what_is_odd_about_a_post_costs_that_field_and_never_the_post() -> None:
    odd = found(
        "x", "id\u0000" + "1" * 600, "text", "s" * 300, time=None, url="javascript:alert(1)", author="a\n" * 300,
        language="not a language", repost_of="\u202e1", counts=(-5, "7", 2**60),
    )  # fmt: skip
    incoming = odd.incoming
    assert len(incoming.id) == 512
    assert incoming.url is None
    assert incoming.language is None
    assert incoming.repost_of == "1"
    assert (incoming.likes, incoming.reposts, incoming.replies) == (0, 0, 0)
    assert incoming.author is not None
    assert len(incoming.author) == 256
    assert len(odd.source) == 256
