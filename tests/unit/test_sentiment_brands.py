"""What a text says -> which brand it is about; what somebody asks for -> a brand that can be watched, or why not."""

import json
from typing import Any

import pytest

from cuatro.errors import Rejected
from functions.sentiment.brands import Brand, checked, checked_url, decode, encode, hashtags, matches, speaks
from functions.sentiment.sources.queries import searches


def brand(*terms: str, **changes: Any) -> Brand:
    return checked(json.dumps({"name": "B", "terms": list(terms), **changes}).encode(), "b")


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("northwind coffee", "I love Northwind Coffee!", True),
        ("northwind coffee", "NORTHWIND-COFFEE's bar", True),
        ("northwind coffee", "northwind\n coffee", True),
        ("northwind coffee", "#NorthwindCoffee", True),
        ("northwind coffee", "thanks @northwindcoffee", True),
        ("northwind coffee", "northwind_coffee", True),
        ("northwind coffee", "northwindcoffee", False),
        ("northwind coffee", "northwind coffeehouse", False),
        ("northwind coffee", "coffee northwind", False),
        ("northwind coffee", "northwind, coffee", False),
        ("northwind", "the northwinds blow", False),
        ("northwind", "northwind.example/menu", True),
        ("café nord", "CAFE NORD", True),
        ("cafe nord", "Cafe\u0301 Nord", True),
        ("straße", "die STRASSE", True),
        ("C++", "I like C++, really", True),
        ("C++", "C+ and D++", False),
        ("北风咖啡", "我喜欢北风咖啡很好", True),
        ("노스윈드", "노스윈드는 좋다", True),
        ("الريح", "أحب الريح كثيرا", True),
        (".*", "anything", None),
        ("a|b", "a", False),
    ],
)
def test_a_text_is_about_a_brand_by_whole_words(term: str, text: str, found: bool | None) -> None:
    if found is None:
        with pytest.raises(Rejected):
            brand(term)
    else:
        assert matches(brand(term), text) is found


def test_excluded_words_win() -> None:
    watched = brand("northwind", exclude=["northwind weather"])
    assert matches(watched, "northwind is great")
    assert not matches(watched, "Northwind Weather: northwind, 5 knots")


def test_hashtags_that_are_named_count_as_terms() -> None:
    watched = brand("northwind", networks={"mastodon": {"instances": ["a.example"], "hashtags": ["NWCoffee"]}})
    assert matches(watched, "a cup of #nwcoffee")
    assert not matches(watched, "nwcoffee")
    assert not matches(watched, "#nwcoffeetable")


def test_addresses_in_other_scripts_are_kept_in_ascii() -> None:
    found = checked_url("https://Bücher.example:8443/ä?q=ü&a=%20#x", "url")
    assert found == "https://xn--bcher-kva.example:8443/%C3%A4?q=%C3%BC&a=%20"
    assert checked_url("http://[::1]:80/x", "url") == "http://[::1]:80/x"


def test_long_and_hostile_texts_take_no_time() -> None:
    watched = brand("a b c d e f", "northwind coffee", exclude=["x y"])
    assert not matches(watched, "a " * 5_000 + "-" * 5_000 + " _" * 5_000)


def test_languages() -> None:
    assert speaks(brand("a"), "fr")
    assert speaks(brand("a", languages=["en"]), None)
    assert not speaks(brand("a", languages=["en"]), "fr")


def test_hashtags_are_the_terms_without_spaces() -> None:
    assert hashtags(brand("Northwind Coffee", "northwindcoffee", "Café-Nord")) == ["northwindcoffee", "cafénord"]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"terms": []}, "terms", "invalid_value"),
        ({"terms": ["x"] * 51}, "terms", "invalid_value"),
        ({"terms": ["  "]}, "terms", "invalid_value"),
        ({"terms": ["a\u202eb"]}, "terms", "invalid_value"),
        ({"handles": "publish"}, "handles", "invalid_value"),
        ({"languages": ["english"]}, "languages[0]", "invalid_value"),
        ({"brand": "other"}, "brand", "invalid_value"),
        ({"networks": {"mastodon": {}}}, "networks.mastodon.instances", "missing_field"),
        ({"networks": {"rss": {}}}, "networks.rss.feeds", "missing_field"),
        ({"networks": {"rss": {"feeds": ["file:///etc/passwd"]}}}, "networks.rss.feeds", "invalid_value"),
        ({"networks": {"rss": {"feeds": ["https://u:p@news.example/"]}}}, "networks.rss.feeds", "invalid_value"),
        ({"networks": {"reddit": {"subreddits": ["../api"]}}}, "networks.reddit.subreddits[0]", "invalid_value"),
        ({"networks": {"mastodon": {"instances": ["https://a.example/\r\nx"]}}}, "networks.mastodon.instances",
         "invalid_value"),
    ],
)  # fmt: skip
def test_what_cannot_be_watched_is_told(changes: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(Rejected) as caught:
        brand(*changes.pop("terms", ["a"]), **changes)
    assert (caught.value.field, caught.value.code) == (field, code)


def test_a_brand_is_kept_as_it_is_told() -> None:
    whole = brand(
        "  a  b ", "a b", languages=["en", "en"], exclude=["c"], handles="pseudonym",
        networks={
            "mastodon": {"instances": ["Social.Example/about", "https://social.example"], "hashtags": ["tag"]},
            "bluesky": {}, "reddit": {"subreddits": ["coffee"]}, "x": {},
            "rss": {"feeds": ["https://news.example/rss#top"]},
        },
    )  # fmt: skip
    assert whole.terms == ["a b"]
    assert whole.languages == ["en"]
    assert whole.networks.mastodon is not None
    assert whole.networks.mastodon.instances == ["https://social.example"]
    assert whole.networks.rss is not None
    assert whole.networks.rss.feeds == ["https://news.example/rss"]
    assert decode(encode(whole)) == whole


@pytest.mark.parametrize(
    "url", ["https://", "http://[::1", "https://a.example:99999/", "ftp://a.example", "//a", "a b"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(Rejected):
        checked_url(url, "url")


def test_searches_hold_all_terms_and_are_never_too_long() -> None:
    terms = [f'term {number} "quoted"' for number in range(50)] + ["x" * 600]
    found = searches(terms, 512, " -is:retweet")
    assert all(len(query) <= 512 for query in found)
    assert all(any(f'"term {number} quoted"' in query for query in found) for number in range(50))
    assert searches(["a", "b c"], 512) == ['("a" OR "b c")']
