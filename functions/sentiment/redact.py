"""A cleaned text -> the same without personal data: e-mail, phone, card, IBAN, and handles as the brand has chosen.

Before anything leaves a collector. Prices, dates, order numbers, hashtags and the numbers in links stay.
"""

import hmac
import re
from collections import Counter
from typing import Literal
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from functions.sentiment import numbers

Handles = Literal["keep", "mask", "pseudonym"]
PSEUDONYM_DIGITS = 16
"""Hexadecimal: 64 bits of a keyed hash. Among a million authors two share one once in 37 million brands."""

EMAIL = re.compile(
    r"(?<![\w@.+'%-])[\w.+'%-]{1,64}(?:[@\uff20]|\s?[\[({]\s?(?:at|arroba|\u00e4t|@)\s?[\])}]\s?)"
    r"(?:[\w-]{1,63}(?:\.|\s?[\[({]\s?(?:dot|punkt|punto|point|ponto)\s?[\])}]\s?)){1,8}[^\W\d_]{2,24}\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"\bhttps?://[^\s<>\"']+|\bwww\.[^\s<>\"']+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![A-Za-z0-9_@])[@\uff20]([A-Za-z0-9_](?:[\w.-]{0,62}\w)?(?:@[\w-]+(?:\.[\w-]+)+)?)", re.ASCII)
_REDDIT_USER = re.compile(r"(?<![\w/])/?u/([A-Za-z0-9_-]{3,20})\b")
_HOSTS_OF_POSTS = (
    # host, path, what stays: addresses of posts that do not name who wrote them
    (re.compile(r"(?:www\.|mobile\.)?(?:x|twitter)\.com"), re.compile(r"/[^/]+/status/(\d+)"), "/i/status/{0}"),
    (re.compile(r"(?:\w+\.)?reddit\.com"), re.compile(r"/(?:r|u|user)/[^/]+/comments/(\w+)"), "/comments/{0}"),
    (
        re.compile(r"(?:www\.|m\.)?(?:x|twitter|instagram|facebook|threads|t)\.(?:com|net|me)"),
        re.compile(r"/(?!explore|search|hashtag|home|events|groups|watch|share|s/)[\w.]{2,50}/?\Z"),
        "/@user",
    ),
    (re.compile(r"(?:\w+\.)?linkedin\.com"), re.compile(r"/in/[^/]+"), "/in/@user"),
    (re.compile(r".*"), re.compile(r"/(?:@[^/]+|users/[^/]+/statuses)/(\d+)"), "/web/statuses/{0}"),
)
_PERSON_IN_PATH = re.compile(r"(/)(?:@|%40)[^/]+|(?<=/)((?:users?|u|profile)/)(?!did:)[^/]+", re.IGNORECASE)


def redacted(
    text: str, handles: Handles, key: bytes, language: str | None = None, network: str = "web"
) -> tuple[str, Counter[str]]:
    """Text in which [email], [phone], [card], [iban], @user or @u_<pseudonym> stand instead; and how many of each.

    key: of pseudonyms; without one handles are masked. language: of the text, for phone numbers without a country; the
    usual ones when None.
    """
    counts: Counter[str] = Counter()
    parts: list[str] = []
    end = 0
    for link in _LINK.finditer(text):
        parts += _words(text[end : link.start()], handles, key, language, network, counts)
        parts.append(_link(link.group(), handles, counts))
        end = link.end()
    parts += _words(text[end:], handles, key, language, network, counts)
    return "".join(parts), counts


def pseudonym(handle: str, network: str, key: bytes) -> str:
    """u_ and 16 digits, always the same for one handle of one network; nobody without the key finds the handle.

    HMAC-SHA-256 of network and handle (RFC 2104): hashes without a key are undone by hashing all names there are.
    """
    name = handle.strip().lstrip("@\uff20").casefold()
    return "u_" + hmac.digest(key, f"{network}\0{name}".encode(), "sha256").hex()[:PSEUDONYM_DIGITS]


def redacted_url(url: str | None, handles: Handles) -> str | None:
    """The address of a post without user, password and e-mail; and without handles, unless they are kept.

    Of the networks' posts in the form that needs no handle. None for what is no address of http or https.
    """
    if not url:
        return None
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme.lower() not in {"http", "https"} or not host:
        return None
    name = f"[{host}]" if ":" in host else host
    parts = parts._replace(netloc=name + port, fragment="")
    if handles != "keep":
        parts = parts._replace(path=_nameless(host, parts.path))
    found = urlunsplit(_without_email(parts))
    return (
        found
        if found.isprintable() and not re.search(r"[\s<>\"'\\^`{|}]", found)
        else quote(found, safe=":/?#[]@!$&()*+,;=%~-._")
    )


def _nameless(host: str, path: str) -> str:
    for hosts, pattern, form in _HOSTS_OF_POSTS:
        if hosts.fullmatch(host) and (found := pattern.match(path)):
            return form.format(*found.groups())
    return _PERSON_IN_PATH.sub(lambda found: f"{found[1] or found[2]}@user", path)


def _without_email(parts: SplitResult) -> SplitResult:
    def masked(text: str) -> str:
        plain = unquote(text)
        return EMAIL.sub("email", plain) if EMAIL.search(plain) else text

    return parts._replace(path=masked(parts.path), query="&".join(masked(each) for each in parts.query.split("&")))


def _link(link: str, handles: Handles, counts: Counter[str]) -> str:
    """A link within a text; what a sentence ends with is not part of it."""
    bare = link.rstrip(".,;:!?)\u2026")
    whole = bare if "://" in bare else f"https://{bare}"
    found = redacted_url(whole, handles)
    if found is None or unquote(found) == unquote(whole.partition("#")[0]):
        return link
    counts["link"] += 1
    return found.removeprefix("" if "://" in bare else "https://") + link[len(bare) :]


def _words(  # noqa: PLR0913, PLR0917 - what every part of a text needs
    text: str, handles: Handles, key: bytes, language: str | None, network: str, counts: Counter[str]
) -> list[str]:
    def email(found: re.Match[str]) -> str:  # noqa: ARG001 - re.sub's
        counts["email"] += 1
        return "[email]"

    if not text:
        return []
    if any(sign in text for sign in "@\uff20([{"):
        text = EMAIL.sub(email, text)
    text = numbers.masked(text, language, counts)
    if handles != "keep":
        text = _without_handles(text, handles, key, network, counts)
    return [text]


def _without_handles(text: str, handles: Handles, key: bytes, network: str, counts: Counter[str]) -> str:
    def mask(found: re.Match[str]) -> str:
        counts["handle"] += 1
        return f"@{pseudonym(found.group(1), network, key)}" if handles == "pseudonym" and key else "@user"

    return _REDDIT_USER.sub(mask, _HANDLE.sub(mask, text))
