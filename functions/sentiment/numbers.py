"""A text without links -> the same without the numbers of cards, accounts (IBAN) and phones; dates and prices stay."""

import re
from collections import Counter
from collections.abc import Iterator

import phonenumbers

FEWEST_DIGITS = 7
"""Of a text that can have a number of a person in it."""

_CARD = re.compile(r"\d(?:[ \u00a0.-]?\d){12,}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]){11,30}", re.IGNORECASE | re.ASCII)
_GROUP = re.compile(r"\d+")
_DIGIT = re.compile(r"\d")
# Numbers that libraries take for phones: dates, times, versions, amounts, ranges of years.
_DATE = re.compile(
    r"(?:(?:19|20)\d{2}([-/. ]?)(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:19|20)?\d{2}"
    r"|(?:19|20)\d{2}\s?[-\u2013/]\s?(?:19|20)\d{2})(?:[ T.,-]*\d{1,2}[:.]?\d{0,2}[:.]?\d{0,2})?"
)
_BEFORE_NUMBER = re.compile(
    r"(?:[#$\u20ac\u00a3\u00a5]|\b(?:order|ticket|ref(?:erence)?|invoice|tracking|serial|sku|isbn|pedido|"
    r"factura|referencia|encomenda|fatura|commande|facture|ordine|fattura|bestellung|bestellnummer|"
    r"rechnung|auftrag|usd|eur|gbp)\b\.?)[\s:#.\u00ba\u00b0-]{0,4}(?:is |es |\u00e9 |est |ist |\u00e8 )?$",
    re.IGNORECASE,
)
_AFTER_NUMBER = re.compile(
    r"^\s?(?:[$\u20ac\u00a3\u00a5%]|(?:usd|eur|gbp|euros?|dollars?|kg|km|ml|views|followers|likes)\b)", re.IGNORECASE
)
_REGIONS = {
    "en": ("US", "GB"),
    "es": ("ES", "MX", "AR", "CO"),
    "pt": ("BR", "PT"),
    "fr": ("FR",),
    "it": ("IT",),
    "de": ("DE",),
}
_ALL_REGIONS = ("US", "ES", "GB")


def masked(text: str, language: str | None, counts: Counter[str]) -> str:
    """[card], [iban] and [phone] stand instead, and are counted. language: of the text, tells the phones' countries."""

    def card(found: re.Match[str]) -> str:
        left, count = _without_cards(found.group())
        counts.update({"card": count} if count else {})
        return left

    def iban(found: re.Match[str]) -> str:
        length = _iban(found.group())
        counts.update({"iban": 1} if length else {})
        return f"[iban]{found.group()[length:]}" if length else found.group()

    if len(_DIGIT.findall(text)) < FEWEST_DIGITS:
        return text
    return _without_phones(_CARD.sub(card, _IBAN.sub(iban, text)), language, counts)


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


def _without_cards(run: str) -> tuple[str, int]:
    """A run of digits and separators -> the same without cards, and how many: an expiry date may stand behind one.

    Cards have 13 to 19 digits in whole groups, begin with 2 to 6 (ISO/IEC 7812), and their check digit is right.
    """
    groups = list(_GROUP.finditer(run))
    parts: list[str] = []
    at = end = count = 0
    while at < len(groups):
        start, digits, last = groups[at].start(), "", 0
        for group in groups[at:]:
            digits += group.group()
            if len(digits) > 19:
                break
            if len(digits) >= 13 and digits[0] in "23456" and _luhn(digits):
                last = group.end()
        if last:
            parts += [run[end:start], "[card]"]
            end, count = last, count + 1
            at = next((place for place, group in enumerate(groups) if group.start() >= last), len(groups))
        else:
            at += 1
    return "".join([*parts, run[end:]]), count


def _luhn(number: str) -> bool:
    """Is the check digit right? A number of one digit only is no card."""
    digits = [int(each) for each in number]
    doubled = sum(digits[-1::-2]) + sum(sum(divmod(2 * each, 10)) for each in digits[-2::-2])
    return doubled % 10 == 0 and len(set(digits)) > 1


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
