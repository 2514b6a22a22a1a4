"""Cleaning of texts: what a reader sees stays, the rest goes, whatever the text, in time that grows with its length."""

import unicodedata

import pytest
from hypothesis import given, settings, strategies

from functions.sentiment.clean import cleaned

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  two \t spaces\r\n\r\n  and lines  ", "two spaces\nand lines"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("zero\u200bwidth\ufeff \u00adhere", "zerowidth here"),
        ("be\u0000ll\u0007", "bell"),
        ("half \ud83d an emoji, and a whole \ud83d\ude00", "half \ufffd an emoji, and a whole \U0001f600"),
        (b"caf\xe9 and caf\xc3\xa9", "caf\ufffd and caf\u00e9"),
        (f"{FAMILY} {SCOTLAND} \u2764\ufe0f", f"{FAMILY} {SCOTLAND} \u2764\ufe0f"),
        ("hidden\U000e0041\U000e0042 text", "hidden text"),
        ("\u202eesrever\u202c ok", "esrever ok"),
        ("القهوة رائعة", "القهوة رائعة"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # noqa: RUF001
        ("Z\u0335\u0336\u0337\u0338\u0321\u0322\u0327\u0328a", "Z\u0335\u0336\u0337\u0338a"),
        ("1 < 2 & <b>no html</b>", "1 < 2 & <b>no html</b>"),
    ],
)  # fmt: skip
def test_plain_text(text: str | bytes, expected: str) -> None:
    assert cleaned(text) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Hi <b>there</b></p><p>second&nbsp;line &lt;b&gt;<br/>third</p>", "Hi there\nsecond line <b>\nthird"),
        ("<script>alert('<p>')</script>ok<STYLE>a{}</style>!", "ok!"),
        ("a <![CDATA[x]]>b <!-- c > d -->e <!DOCTYPE html>f <?xml?>g", "a b e f g"),
        ("<img alt='\U0001f642' src=x onerror=alert(1)>hey <img alt=\"a &amp; b\">", "\U0001f642hey a & b"),
        ("a < b > c, I <3 it", "a < b > c, I <3 it"),
        ("text <a href='x", "text"),
        ("one\ntwo<br>three", "one two\nthree"),
        ('<span class="invisible">https://</span><span>a.example/b</span>', "https://a.example/b"),
        ("<svg><p>not read</p></svg>read", "read"),
        ("&#128512; &#xD83D; &unknown; &amp;lt;", "\U0001f600 \ufffd &unknown; &lt;"),
    ],
)
def test_html_as_a_browser_shows_it(html: str, expected: str) -> None:
    assert cleaned(html, html=True) == expected


@settings(deadline=None)
@given(strategies.text(alphabet=strategies.characters(), max_size=300), strategies.booleans())
def test_any_text_is_clean_afterwards(text: str, html: bool) -> None:
    clean = cleaned(text, html)
    assert unicodedata.is_normalized("NFC", clean)
    assert clean == clean.strip()
    assert not any(
        unicodedata.category(each) == "Cs" or (unicodedata.category(each) == "Cc" and each != "\n") for each in clean
    )
    assert not set(clean) & set("\u200b\u202a\u202b\u202d\u202e\u2066\u2067\ufeff")
    assert cleaned(clean) == clean, "twice is as good as once"


@settings(deadline=None)
@given(strategies.binary(max_size=300))
def test_any_bytes_are_a_text(data: bytes) -> None:
    cleaned(data).encode()


@pytest.mark.parametrize(
    "part", ["<", "<!--", "<![x[", "<p", "</", "<a href='", "&", "<script>", "\u0301", "\u200d", "\n ", "<img alt="]
)
def test_hostile_texts_end(part: str) -> None:
    """The standard library's HTMLParser needs minutes for some of these: the suite's limit of time would tell."""
    assert len(cleaned(part * (200_000 // len(part)), html=True)) <= 200_000
