"""Personal data is found and masked; prices, dates, order numbers and hashtags stay."""

import re

import pytest
from hypothesis import given, settings, strategies

from cuatro.posts import checked_url
from functions.sentiment.redact import pseudonym, redacted, redacted_url

KEY = b"a key of the tests"
PERSONAL = [
    ("en", "mail me: jo.doe+x@mail.example.co.uk now", "mail me: [email] now"),
    ("en", "jo@mail.example.", "[email]."),
    ("es", "escr\u00edbeme a ana (at) correo.example", "escr\u00edbeme a [email]"),
    ("en", "mailto:jo@mail.example?subject=x", "mailto:[email]?subject=x"),
    ("de", "Post an j\u00fcrgen@b\u00fccher.example bitte", "Post an [email] bitte"),
    ("en", "call (202) 555-0123 or 202-555-0188", "call [phone] or [phone]"),
    ("es", "llama al 612 345 678 o +34 612345678", "llama al [phone] o [phone]"),
    ("de", "ruf an 030 12345678", "ruf an [phone]"),
    ("en", "phone no 202-555-0123, my number: 202-555-0188", "phone no [phone], my number: [phone]"),
    ("fr", "tel 06 12 34 56 78", "tel [phone]"),
    ("pt", "liga (11) 91234-5678", "liga [phone]"),
    ("it", "chiama 333 1234567", "chiama [phone]"),
    (None, "+44 20 7946 0958 anytime", "[phone] anytime"),
    ("en", "card 4111 1111 1111 1111, 4111-1111-1111-1111 or 378282246310005", "card [card], [card] or [card]"),
    ("en", "4111 1111 1111 1111 12/27 123 and room 12 4111 1111 1111 1111", "[card] 12/27 123 and room 12 [card]"),
    ("en", "5500-0000-0000-0004.", "[card]."),
    ("de", "IBAN DE89 3704 0044 0532 0130 00 bitte", "IBAN [iban] bitte"),
    ("en", "GB82WEST12345698765432", "[iban]"),
    ("en", "@jo@mast.example hi @northwind_coffee!", "@user hi @user!"),
    ("en", "thanks \uff20jo and u/some_one on r/coffee", "thanks @user and @user on r/coffee"),
    ("en", ".@jo w/@ann (@bob) site.example/@joe -@kim", ".@user w/@user (@user) site.example/@user -@user"),
    ("ja", "\u3042\u308a\u304c\u3068\u3046@jo\u3055\u3093", "\u3042\u308a\u304c\u3068\u3046@user\u3055\u3093"),
    ("en", "https://x.com/jo and instagram.com/p/Cabc", "https://x.com/@user and instagram.com/p/Cabc"),
    ("en", "https://www.linkedin.com/in/jo-doe-1/ hires", "https://www.linkedin.com/in/@user hires"),
    ("es", "mi m\u00f3vil es 55 1234 5678", "mi m\u00f3vil es [phone]"),
    ("en", "https://x.com/jo/status/123 wow", "https://x.com/i/status/123 wow"),
    ("en", "https://mast.example/@jo/109876543210987654.", "https://mast.example/web/statuses/109876543210987654."),
    ("en", "https://shop.example/?mail=jo%40mail.example&x=1", "https://shop.example/?mail=email&x=1"),
    ("en", "https://jo:pw@shop.example/a", "https://shop.example/a"),
]  # fmt: skip
HARMLESS = [
    ("en", "order 100023445566 never came, ticket #4455667788"),
    ("es", "pedido 612345678, son 1.299,00 \u20ac"),
    ("de", "Bestellung 02012345678 seit 12.11.2026"),
    ("en", "at 10:30 on 12/11/2026, 2026-11-12 or 20261112, won 3-0, 3.5%"),
    ("en", "2019-2023 was better, $1234567890 for 1000000 views"),
    ("en", "#NorthwindCoffee2026 r/coffee v1.2.3.4 10.0.0.1"),
    ("en", "isbn 978-3-16-148410-0 and 0000 0000 0000 0000"),
    ("en", "4111 1111 1111 1112 is no card, love@firstsight no mail"),
    ("en", "https://shop.example/orders/4111111111111111?p=2025550123#a"),
    ("en", "5 of 5, 100% @ 9.99"),
    ("fr", "le 06/12/2026 \u00e0 12h34, 1 234 567 fois"),
]


@pytest.mark.parametrize(("language", "text", "expected"), PERSONAL)
def test_personal_data_is_masked(language: str | None, text: str, expected: str) -> None:
    found, counts = redacted(text, "mask", KEY, language)
    assert found == expected
    assert counts.total() > 0


@pytest.mark.parametrize(("language", "text"), HARMLESS)
def test_other_numbers_and_signs_stay(language: str, text: str) -> None:
    found, counts = redacted(text, "mask", KEY, language)
    assert (found, counts.total()) == (text, 0)


def test_handles_are_kept_masked_or_pseudonyms_as_the_brand_chooses() -> None:
    text = "@Jo said @ann@mast.example"
    assert redacted(text, "keep", KEY)[0] == text
    assert redacted(text, "mask", KEY)[0] == "@user said @user"
    found, counts = redacted(text, "pseudonym", KEY, network="mastodon")
    assert found == f"@{pseudonym('jo', 'mastodon', KEY)} said @{pseudonym('ann@mast.example', 'mastodon', KEY)}"
    assert counts == {"handle": 2}
    assert redacted(text, "pseudonym", b"")[0] == "@user said @user", "a hash without a key hides nobody"


def test_a_pseudonym_is_one_persons_of_one_network_under_one_key() -> None:
    one = pseudonym("@Jo", "x", KEY)
    assert re.fullmatch("u_[0-9a-f]{16}", one)
    assert one == pseudonym("jo ", "x", KEY)
    assert (
        len({one, pseudonym("jo", "bluesky", KEY), pseudonym("jo", "x", b"another"), pseudonym("ann", "x", KEY)}) == 4
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://twitter.com/jo/status/12?s=20", "https://twitter.com/i/status/12?s=20"),
        ("https://www.reddit.com/user/jo/comments/1abc/title/", "https://www.reddit.com/comments/1abc"),
        ("https://mast.example/users/jo/statuses/12", "https://mast.example/web/statuses/12"),
        ("https://bsky.app/profile/jo.bsky.example/post/3k", "https://bsky.app/profile/@user/post/3k"),
        ("https://bsky.app/profile/did:plc:abc/post/3k", "https://bsky.app/profile/did:plc:abc/post/3k"),
        ("https://blog.example/2026/11/a-post#top", "https://blog.example/2026/11/a-post"),
        ("HTTPS://[::1]:8080/x", "https://[::1]:8080/x"),
        ("https://x.example/a b?q=<b>", "https://x.example/a%20b?q=%3Cb%3E"),
        ("javascript:alert(1)", None),
        ("//no.scheme/x", None),
        ("https://h.example:99999/", None),
        ("", None),
        (None, None),
    ],
)
def test_addresses_lead_to_the_post_and_name_nobody(url: str | None, expected: str | None) -> None:
    assert redacted_url(url, "mask") == expected


def test_addresses_stay_where_handles_are_kept() -> None:
    assert redacted_url("https://x.com/jo/status/12", "keep") == "https://x.com/jo/status/12"
    assert redacted_url("https://jo:pw@x.com/jo", "keep") == "https://x.com/jo"


@settings(deadline=None)
@given(strategies.text(max_size=200), strategies.sampled_from(["keep", "mask", "pseudonym"]))
def test_any_text_is_redacted_and_has_nothing_more_to_redact(text: str, handles: str) -> None:
    found, _ = redacted(text, handles, KEY)  # type: ignore[arg-type]
    again, counts = redacted(found, handles, KEY)  # type: ignore[arg-type]
    assert counts.keys() <= {"handle"}, "a masked handle is a handle"
    assert handles == "pseudonym" or again == found


@settings(deadline=None)
@given(strategies.text(max_size=100))
def test_any_address_is_one_that_may_be_a_link_or_none(text: str) -> None:
    found = redacted_url(f"https://a.example/{text}", "mask")
    assert found is None or checked_url(found) == found


@pytest.mark.parametrize(
    "part", ["1 ", "4111 ", "DE89 ", "@", "a@", "a.", "x@y.", "(202) ", "https://", "+1", "@a.", "a(at)", "u/"]
)
def test_hostile_texts_end(part: str) -> None:
    redacted(part * (10_000 // len(part)), "mask", KEY)
