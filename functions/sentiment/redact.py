"""A cleaned text -> the same without personal data: e-mail, phone, card, IBAN, and handles as the brand has chosen.

Before anything leaves a collector. Prices, dates, order numbers, hashtags and the numbers in links stay.
"""

import hmac
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

import phonenumbers

Handles = Literal["keep", "mask", "pseudonym"]
PSEUDONYM_DIGITS = 16
"""Hexadecimal: 64 bits of a keyed hash. Among a million authors two share one once in 37 million brands."""

EMAIL = re.compile(
    r"(?<![\w@.+'%-])[\w.+'%-]{1,64}(?:[@\uff20]|\s?[\[({]\s?(?:at|arroba|\u00e4t|@)\s?[\])}]\s?)"
    r"(?:[\w-]{1,63}(?:\.|\s?[\[({]\s?(?:dot|punkt|punto|point|ponto)\s?[\])}]\s?)){1,8}[^\W\d_]{2,24}\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"\bhttps?://[^\s<>\"']+|\bwww\.[^\s<>\"']+", re.IGNORECASE)
_CARD = re.compile(r"(?<![\d.,])\d(?:[ \u00a0.-]?\d){12,18}(?![\d]|[.,]\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]){11,30}", re.IGNORECASE | re.ASCII)
_HANDLE = re.compile(r"(?<![\w@/.#&=-])[@\uff20]([A-Za-z0-9_](?:[\w.-]{0,62}\w)?(?:@[\w-]+(?:\.[\w-]+)+)?)")
_REDDIT_USER = re.compile(r"(?<![\w/])/?u/([A-Za-z0-9_-]{3,20})\b")
_DIGIT = re.compile(r"\d")
# Numbers that libraries take for phones: dates, times, versions, amounts, ranges of years.
_DATE = re.compile(
    r"(?:(?:19|20)\d{2}([-/. ]?)(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:19|20)?\d{2}"
    r"|(?:19|20)\d{2}\s?[-\u2013/]\s?(?:19|20)\d{2})(?:[ T.,-]*\d{1,2}[:.]?\d{0,2}[:.]?\d{0,2})?"
)
_BEFORE_NUMBER = re.compile(
    r"(?:[#\u2116$\u20ac\u00a3\u00a5]|\b(?:order|ticket|case|ref(?:erence)?|invoice|tracking|serial|sku|isbn|nr|no|num(?:ber)?|pedido|"
    r"factura|referencia|n\u00famero|encomenda|fatura|commande|facture|num\u00e9ro|ordine|fattura|bestellung|bestellnummer|"
    r"rechnung|auftrag|usd|eur|gbp)\b\.?)[\s:#.\u00ba\u00b0-]{0,4}(?:is |es |\u00e9 |est |ist |\u00e8 )?$",
    re.IGNORECASE,
)
_AFTER_NUMBER = re.compile(
    r"^\s?(?:[$\u20ac\u00a3\u00a5%]|(?:usd|eur|gbp|euros?|dollars?|kg|km|ml|views|followers|likes)\b)", re.IGNORECASE
)
_REGIONS = {
    "en": ("US", "GB"),
    "es": ("ES", "MX"),
    "pt": ("BR", "PT"),
    "fr": ("FR",),
    "it": ("IT",),
    "de": ("DE",),
}
_ALL_REGIONS = ("US", "ES", "GB")
_HOSTS_OF_POSTS = (
    # host, path, what stays: addresses of posts that do not name who wrote them
    (re.compile(r"(?:www\.|mobile\.)?(?:x|twitter)\.com"), re.compile(r"/[^/]+/status/(\d+)"), "/i/status/{0}"),
    (re.compile(r"(?:\w+\.)?reddit\.com"), re.compile(r"/(?:r|u|user)/[^/]+/comments/(\w+)"), "/comments/{0}"),
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
    def instead(kind: str, pattern: re.Pattern[str], within: str) -> str:
        def mask(found: re.Match[str]) -> str:
            length = _CHECKS[kind](found.group())
            if not length:
                return found.group()
            counts[kind] += 1
            return f"[{kind}]{found.group()[length:]}"

        return pattern.sub(mask, within)

    if not text:
        return []
    if any(sign in text for sign in "@\uff20([{"):
        text = instead("email", EMAIL, text)
    if len(_DIGIT.findall(text)) >= 7:
        text = instead("card", _CARD, instead("iban", _IBAN, text))
        text = _without_phones(text, language, counts)
    if handles != "keep":
        text = _without_handles(text, handles, key, network, counts)
    return [text]


def _without_handles(text: str, handles: Handles, key: bytes, network: str, counts: Counter[str]) -> str:
    def mask(found: re.Match[str]) -> str:
        counts["handle"] += 1
        return f"@{pseudonym(found.group(1), network, key)}" if handles == "pseudonym" and key else "@user"

    return _REDDIT_USER.sub(mask, _HANDLE.sub(mask, text))


def _without_phones(text: str, language: str | None, counts: Counter[str]) -> str:
    spans: list[tuple[int, int]] = []
    for region in _REGIONS.get(language or "", _ALL_REGIONS):
        found = phonenumbers.PhoneNumberMatcher(text, region)
        spans += [(each.start, each.end) for each in found if _is_phone(text, each.start, each.end)]
    for start, end in reversed(list(_merged(spans))):
        text = f"{text[:start]}[phone]{text[end:]}"
        counts["phone"] += 1
    return text


def _is_phone(text: str, start: int, end: int) -> bool:
    number = text[start:end]
    if number.startswith("+"):
        return True
    if _DATE.fullmatch(number) or _AFTER_NUMBER.match(text[end:]):
        return False
    return not _BEFORE_NUMBER.search(text[max(0, start - 24) : start])


def _merged(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Of those that overlap, one that covers them."""
    last: tuple[int, int] | None = None
    for start, end in sorted(spans):
        if last is not None and start < last[1]:
            last = (last[0], max(end, last[1]))
        else:
            if last is not None:
                yield last
            last = (start, end)
    if last is not None:
        yield last


def _luhn(number: str) -> int:
    """Its length if the check digit of ISO/IEC 7812 is right, else 0; a number of one digit only is none."""
    digits = [int(each) for each in _DIGIT.findall(number)]
    doubled = sum(digits[-1::-2]) + sum(sum(divmod(2 * each, 10)) for each in digits[-2::-2])
    return len(number) if doubled % 10 == 0 and len(set(digits)) > 1 else 0


def _iban(text: str) -> int:
    """Characters of the IBAN that the text begins with, 0 for none: words may follow it.

    ISO 13616: 15 to 34 letters and digits; the number, its first four at its end, is 1 modulo 97.
    """
    for end in range(len(text), 14, -1):
        plain = re.sub(r"[\s\u00a0-]", "", text[:end])
        whole = end == len(text) or not text[end].isalnum()
        if whole and text[end - 1].isalnum() and 15 <= len(plain) <= 34 and _modulo_97(plain) == 1:
            return end
    return 0


def _modulo_97(plain: str) -> int:
    return int("".join(str(int(each, 36)) for each in plain[4:] + plain[:4])) % 97


_CHECKS: dict[str, Callable[[str], int]] = {"email": len, "card": _luhn, "iban": _iban}
