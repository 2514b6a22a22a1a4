"""Which texts count as the same."""

import pytest
from hypothesis import given, settings, strategies

from functions.sentiment.fingerprint import fingerprint

TEXT = "Northwind Coffee closes all its shops, caf\u00e9s included \U0001f44d"


@pytest.mark.parametrize(
    "same",
    [
        TEXT.upper(),
        f"RT @user: {TEXT}",
        f"{TEXT} https://a.example/1?x=2",
        f"@user @u_0123456789abcdef {TEXT}",
        TEXT.replace("\U0001f44d", "\U0001f44d\U0001f3fd"),
        TEXT.replace("\u00e9", "e\u0301").replace(", ", " - "),
        f"  {TEXT}\n",
    ],
)
def test_another_dress_is_the_same_text(same: str) -> None:
    assert fingerprint(same) == fingerprint(TEXT)
    assert len(fingerprint(TEXT)) == 32


@pytest.mark.parametrize(
    "other", [TEXT.replace("all", "no"), TEXT[:40], TEXT.replace("\U0001f44d", "\U0001f44e"), f"{TEXT} Why?"]
)
def test_other_words_or_another_emoji_are_another_text(other: str) -> None:
    assert fingerprint(other) not in {"", fingerprint(TEXT)}


@pytest.mark.parametrize(
    "short", ["", "love it", "https://a.example/a/very/long/address", "@user " * 9, "\U0001f44d" * 30]
)
def test_what_many_write_by_themselves_has_none(short: str) -> None:
    assert fingerprint(short) == ""


@settings(deadline=None)
@given(strategies.text(max_size=200))
def test_any_text_has_one_or_none(text: str) -> None:
    assert len(fingerprint(text)) in {0, 32}
    assert fingerprint(text) == fingerprint(f"{text} ")
