"""RSS and Atom as they are in the wild: bad encodings, broken XML, odd dates, hostile entities -> entries, or none."""

from email.utils import formatdate
from typing import Any

import pytest

from cuatro.adapters.web import Answer
from cuatro.errors import Rejected, Unavailable
from functions.sentiment.brands import Brand
from functions.sentiment.collect import clean_text
from functions.sentiment.sources.rss import ENTRIES, Rss
from functions.sentiment.sources.source import Page, Place, Session

URL = "https://news.example/rss"
BRAND = Brand(brand="b", name="B", terms=["b"])
NOW = 1_795_000_000.0
DATE = formatdate(NOW - 60, usegmt=True)


class _Served:
    """Answers of a feed's server, in order."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, str]] = []

    def get(self, url: str, query: Any = None, headers: Any = None) -> Answer:
        self.asked.append(headers)
        return self.answers.pop(0)


def served(*bodies: bytes, **headers: str) -> _Served:
    return _Served(*(Answer(200, {"content-type": "application/rss+xml", **headers}, body, URL) for body in bodies))


def fetched(web: _Served, cursor: str | None = None) -> Page:
    session = Session(web, {}, NOW)  # type: ignore[arg-type]
    return Rss().fetch(BRAND, Place(URL, URL, (URL,)), cursor, session)


def rss(*items: str) -> bytes:
    channel = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>n</title>{channel}</channel></rss>'.encode()


def item(number: int, text: str = "hello") -> str:
    described = f"<title>t{number}</title><description>{text}</description><pubDate>{DATE}</pubDate>"
    return f'<guid isPermaLink="false">g{number}</guid>{described}'


def texts(page: Page) -> list[str]:
    return [clean_text(each.incoming, each.html) for each in page.posts]


LATIN = (
    b'<?xml version="1.0" encoding="iso-8859-1"?><rss version="2.0"><channel><item><guid>1</guid><title>caf\xe9</title>'
    b"<pubDate>Mon, 23 Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>"
)
RDF = (
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
    b'xmlns:dc="http://purl.org/dc/elements/1.1/"><item><title>old hello</title><link>https://a.example/1</link>'
    b"<dc:date>2026-11-18T13:46:00Z</dc:date></item></rdf:RDF>"
)
ATOM = (
    b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title type="html">&lt;b&gt;atom&lt;/b&gt;</title>'
    b"<updated>2026-11-18T13:46:00+02:00</updated></entry></feed>"
)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rss(item(1, "caf\u00e9")), "caf\u00e9"),
        (LATIN, "caf\u00e9"),
        (rss(item(1, "a &amp;lt;b&amp;gt; &nbsp;c")), "a"),
        (rss(item(1, "<![CDATA[<p>one</p><script>alert(1)</script><p>two</p>]]>")), "two"),
        (rss(item(1, "unclosed <b>bold")), "bold"),
        (rss(item(1))[:-20], "hello"),
        (b"\xef\xbb\xbf  " + rss(item(1)), "hello"),
        (RDF, "old hello"),
        (ATOM, "atom"),
    ],
)
def test_feeds_of_every_kind_are_read(body: bytes, text: str) -> None:
    page = fetched(served(body), '{"known": []}')
    assert len(page.posts) == 1
    assert text in texts(page)[0]
    assert "alert(1)" not in texts(page)[0]


@pytest.mark.parametrize("body", [b"", b"<html><body>moved</body></html>", b"{}", b"\x00\xff" * 500, b"<rss"])
def test_what_is_no_feed_may_be_one_the_next_time(body: bytes) -> None:
    with pytest.raises(Unavailable):
        fetched(served(body))


def test_entities_of_its_own_make_no_feed() -> None:
    """They can grow a thousandfold, or name files: also where the word is hidden by an encoding."""
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 8))
    bomb = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY l0 "lol">{lol}<!entity f SYSTEM "file:///etc/passwd">]>'
    with pytest.raises(Rejected, match="entities"):
        fetched(served(bomb.encode() + rss(item(1, "a &l7; &f; b"))[21:]))
    hidden = bomb.replace("lol", "l").replace("&l6;" * 10, "&l1;") + rss(item(1, "a &l7; &f; b"))[21:].decode()
    page = fetched(served(hidden.replace("<?xml version", '<?xml encoding="utf-16" version').encode("utf-16")), "{}")
    assert all(len(text) < 1_000 and "root:" not in text for text in texts(page))


def test_an_entry_comes_once_and_a_feed_that_did_not_change_costs_nothing() -> None:
    first = fetched(served(rss(item(1), item(2)), etag='"v1"', **{"last-modified": DATE}))
    assert len(first.posts) == 2
    web = served(rss(item(3), item(1), item(2)))
    second = fetched(web, first.cursor)
    assert [each.incoming.id for each in second.posts] == ["g3"]
    assert web.asked[0]["if-none-match"] == '"v1"'
    assert web.asked[0]["if-modified-since"] == DATE
    unchanged = fetched(_Served(Answer(304, {}, b"", URL)), second.cursor)
    assert (unchanged.posts, unchanged.cursor) == ([], second.cursor)


def test_the_first_time_only_the_last_hour_counts_and_an_entry_without_a_date_is_none_of_it() -> None:
    old = item(1).replace(DATE, formatdate(NOW - 4_000, usegmt=True))
    undated = "<guid isPermaLink='false'>u</guid><title>undated</title>"
    page = fetched(served(rss(old, undated, item(2))))
    assert [each.incoming.id for each in page.posts] == ["g2"]
    later = fetched(
        served(rss("<guid isPermaLink='false'>v</guid><title>new, undated</title>", old, undated)), page.cursor
    )
    assert [(each.incoming.id, each.incoming.time) for each in later.posts] == [("v", None)]


def test_a_feed_that_shows_its_whole_archive_is_not_read_whole() -> None:
    page = fetched(served(rss(*(item(number) for number in range(ENTRIES + 100)))))
    assert len(page.posts) == ENTRIES
