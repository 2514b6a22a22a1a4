"""The body of PUT /brands/{brand} -> a checked Brand; a Brand and a text -> whether the text is about it.

Matching is by whole words, whatever their case and accents: "cafe nord" is in "Café-Nord's" and in "#CafeNord", and not
in "cafe nordic". Scripts that put no space between words have no word boundary to ask for.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from cuatro.decoding import decoded
from cuatro.errors import Rejected

MAX_BRAND_BYTES = 65_536
MAX_TERMS, MAX_PLACES = 50, 20
"""Terms of a brand; instances, hashtags, subreddits or feeds of it at one network: each costs calls at every poll."""

Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\Z")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Terms = Annotated[list[Text], msgspec.Meta(max_length=MAX_TERMS)]
Language = Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2,3}\Z")]
Url = Annotated[str, msgspec.Meta(min_length=8, max_length=2048)]
Urls = Annotated[list[Url], msgspec.Meta(max_length=MAX_PLACES)]
Hashtag = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^\w+\Z")]
Subreddit = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]{1,20}\Z")]


class Mastodon(msgspec.Struct, frozen=True, omit_defaults=True):
    """instances: where to ask, each for itself; hashtags: besides the terms, without #."""

    instances: Urls = []
    hashtags: Annotated[list[Hashtag], msgspec.Meta(max_length=MAX_PLACES)] = []


class Bluesky(msgspec.Struct, frozen=True):
    """All of it: one service searches the whole network."""


class Reddit(msgspec.Struct, frozen=True, omit_defaults=True):
    """subreddits: names without r/; none = all."""

    subreddits: Annotated[list[Subreddit], msgspec.Meta(max_length=MAX_PLACES)] = []


class X(msgspec.Struct, frozen=True):
    """All of it."""


class Rss(msgspec.Struct, frozen=True, omit_defaults=True):
    """feeds: RSS 0.9x, 1.0, 2.0 or Atom."""

    feeds: Urls = []


class Networks(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the brand is looked for; None: not there."""

    mastodon: Mastodon | None = None
    bluesky: Bluesky | None = None
    reddit: Reddit | None = None
    x: X | None = None
    rss: Rss | None = None


class Brand(msgspec.Struct, frozen=True, kw_only=True):
    """What is watched. A text with one of `terms` and none of `exclude` is about it.

    languages: of the posts, BCP 47 primary subtags; none = all. handles: what becomes of @names before anything is
    stored. enabled: False keeps what was collected, and collects no more.
    """

    brand: Slug
    name: Text
    terms: Annotated[list[Text], msgspec.Meta(min_length=1, max_length=MAX_TERMS)]
    exclude: Terms = []
    languages: Annotated[list[Language], msgspec.Meta(max_length=MAX_TERMS)] = []
    networks: Networks = Networks()
    handles: Literal["mask", "keep", "pseudonym"] = "mask"
    enabled: bool = True


_BRAND = msgspec.json.Decoder(Brand)


def checked(body: bytes, brand: str | None = None) -> Brand:
    """A Brand from JSON, its lists without repetition. brand: the name that the path says. Raises Rejected."""
    found = decoded(_BRAND, body if brand is None else _named(body, brand), MAX_BRAND_BYTES)
    networks = found.networks
    if networks.mastodon:
        instances = [origin(url, "networks.mastodon.instances") for url in networks.mastodon.instances]
        if not instances:
            raise Rejected("is missing: Mastodon is asked instance by instance", "networks.mastodon.instances",
                           "missing_field")  # fmt: skip
        networks = msgspec.structs.replace(
            networks, mastodon=Mastodon(_once(instances), _once(networks.mastodon.hashtags))
        )
    if networks.reddit:
        networks = msgspec.structs.replace(networks, reddit=Reddit(_once(networks.reddit.subreddits)))
    if networks.rss:
        feeds = [checked_url(url, "networks.rss.feeds") for url in networks.rss.feeds]
        if not feeds:
            raise Rejected("is missing: name at least one feed", "networks.rss.feeds", "missing_field")
        networks = msgspec.structs.replace(networks, rss=Rss(_once(feeds)))
    return msgspec.structs.replace(
        found,
        name=_checked_text(found.name, "name"),
        terms=_once([_checked_text(term, "terms") for term in found.terms]),
        exclude=_once([_checked_text(term, "exclude") for term in found.exclude]),
        languages=_once(found.languages),
        networks=networks,
    )


def decode(text: str | bytes) -> Brand:
    """As it was stored. Raises Rejected when the row is damaged."""
    return decoded(_BRAND, text.encode() if isinstance(text, str) else text, MAX_BRAND_BYTES)


def encode(brand: Brand) -> str:
    """As it is stored, and as the API shows it: JSON."""
    return msgspec.json.encode(brand).decode()


def matches(brand: Brand, text: str) -> bool:
    """Is a text about the brand? Its hashtags count as terms do. text: at best cleaned, with handles still in it."""
    plain = folded(text)
    tags = brand.networks.mastodon.hashtags if brand.networks.mastodon else []
    if not _pattern((*brand.terms, *(f"#{tag}" for tag in tags))).search(plain):
        return False
    return not (brand.exclude and _pattern(tuple(brand.exclude)).search(plain))


def speaks(brand: Brand, language: str | None) -> bool:
    """Is a post in this language wanted? None: not known, so it may be."""
    return not brand.languages or language is None or language in brand.languages


def hashtags(brand: Brand) -> list[str]:
    """What the brand's terms are as hashtags (letters, digits and _ of any script, without #), each once."""
    joined = ["".join(re.findall(r"\w+", unicodedata.normalize("NFC", term))).casefold() for term in brand.terms]
    return _once([tag for tag in joined if tag])


def folded(text: str) -> str:
    """Text without case, accents and compatibility forms (Unicode's NFKD): only for comparison."""
    if text.isascii():
        return text.lower()
    return "".join(each for each in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(each))


def origin(url: str, field: str) -> str:
    """https://host[:port] of a URL, or of a host's bare name. Raises Rejected."""
    parts = urlsplit(checked_url(url if "://" in url else f"https://{url}", field))
    return f"{parts.scheme}://{parts.netloc}"


def checked_url(url: str, field: str) -> str:
    """An http(s) URL in ASCII, without user, password and fragment; where it may lead is not asked. Or Rejected."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port is not None else ""
        host = (parts.hostname or "").encode("idna").decode()
    except (ValueError, UnicodeError):
        raise Rejected(f"{url!r:.80} is not a URL", field, "invalid_value") from None
    if parts.scheme not in {"http", "https"} or not host or port == ":0":
        raise Rejected(f"{url!r:.80} is not an http or https URL", field, "invalid_value")
    if parts.username is not None or parts.password is not None:
        raise Rejected("must be without user and password", field, "invalid_value")
    if not url.isprintable() or " " in url:
        raise Rejected("must be without spaces and control characters", field, "invalid_value")
    netloc = (f"[{host}]" if ":" in host else host) + port
    path, query = quote(parts.path, safe=_IN_URL), quote(parts.query, safe=_IN_URL)
    return urlunsplit((parts.scheme, netloc, path, query, ""))


_IN_URL = "%/:?@!$&'()*+,;=~[]"


@lru_cache(256)
def _pattern(terms: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(alternative for term in terms for alternative in _alternatives(folded(term))))


def _alternatives(term: str) -> list[str]:
    """The term in a text, with what may stand between its words; and all of it as one hashtag or name."""
    words = re.findall(r"[^\s_-]+", term)
    spaced = r"[\s_-]+".join(map(re.escape, words))
    found = [_bounded(spaced)]
    if len(words) > 1:
        found.append(r"[#@]" + _bounded(re.escape("".join(words))))
    return found


def _bounded(expression: str) -> str:
    return f"{_edge(expression, 0, '<!')}{expression}{_edge(expression, -1, '!')}"


def _edge(expression: str, at: int, kind: str) -> str:
    """No letter or digit beyond this end of the term, unless the script has no spaces or the term ends in a sign."""
    end = expression[at]
    return rf"(?{kind}\w)" if end.isalnum() and not _UNSPACED.match(end) else ""


# Thai and Lao, Burmese, Khmer, kana, Han, half-width kana; and Hangul (folded: Jamo), which joins particles to a noun.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f\u1100-\u11ff]")


def _named(body: bytes, brand: str) -> bytes:
    """The body with the path's name in it: it may be left out there, and must not differ."""
    try:
        given = msgspec.json.decode(body, type=dict[str, Any])
    except (ValueError, RecursionError):
        return body  # decoding it says what is wrong
    if given.setdefault("brand", brand) != brand:
        raise Rejected("is another one than the path's", "brand", "invalid_value")
    return msgspec.json.encode(given)


def _checked_text(text: str, field: str) -> str:
    normal = " ".join(unicodedata.normalize("NFC", text).split())
    if not normal.isprintable() or not any(each.isalnum() for each in normal):
        raise Rejected("must have a letter or digit, and no control characters", field, "invalid_value")
    return normal


def _once(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))
