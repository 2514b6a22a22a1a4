"""A post as it came -> as it leaves: nothing of a person at the edge of a cut, nobody is named without a key."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cuatro.posts import MAX_TEXT, Incoming, Post
from functions.sentiment import brands
from functions.sentiment.collect import clean_text, collected

BRAND = brands.checked(b'{"brand":"northwind","name":"Northwind","terms":["northwind"]}')


def of(text: str, key: bytes = b"a key", **fields: Any) -> Post:
    incoming = Incoming(version=1, id="1", text=text, **fields)
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    return collected(incoming, BRAND, clean=clean_text(incoming), source=None, collected_at=now, key=key)


@pytest.mark.parametrize("padding", range(0, 20, 3))
def test_the_edge_of_a_cut_has_no_half_address(padding: int) -> None:
    post = of("x" * padding + " " + "jo@mail.example " * 3_000)
    assert post.cut
    assert set(post.text.lstrip("x").split()) <= {"[email]", *(("[email]"[:end]) for end in range(7))}


def test_what_fits_is_not_cut_and_what_hides_in_it_makes_room() -> None:
    assert (len(of("x" * MAX_TEXT).text), of("x" * MAX_TEXT).cut) == (MAX_TEXT, False)
    assert (len(of("x" * (MAX_TEXT + 1)).text), of("x" * (MAX_TEXT + 1)).cut) == (MAX_TEXT, True)
    assert not of("jo@mail.example " * 1_000).cut, "16,000 characters, 8,000 redacted"
    assert of("x" * 100_000).cut


def test_without_a_key_the_author_is_nobody() -> None:
    assert of("hi", author="@jo").author
    assert of("hi", b"", author="@jo").author is None
