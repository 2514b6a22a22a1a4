"""What a network sends -> text as a person reads it: no markup, one spelling of each letter, nothing invisible.

Nothing here raises on any text. Emoji and scripts from right to left stay; what turns the direction of writing, hides
in it or is no character goes, since a reader would see another text than the classifier.
"""

import re
import unicodedata
from html import unescape

MAX_RAW = 200_000
"""Characters that are looked at: HTML may be longer than its text, and no post is longer than this."""

_BREAKS = {"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr", "ul", "ol"}
_UNREAD = {"script", "style", "template", "noscript", "svg", "math", "head", "iframe", "object", "textarea", "title"}
# Zero width: space, marks of direction (and their overrides, embeddings, isolates), word joiners, byte order, tags.
# The joiners U+200C and U+200D stay within a word or an emoji (Persian, Hindi, families), see _JOINER.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"
)
# A joiner needs something to join on both sides.
_JOINER = re.compile("(?<![^\\s\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+(?![^\\s\u200c\u200d])")
# The characters of a flag's name (Scotland) are tags: they stay behind the black flag only.
_TAGS = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0000-\U000e007f]+")
_TAG = re.compile(r"<[/!?]?([a-z][a-z0-9]*)?(?<=[a-z0-9/!?])")
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_ENDS = re.compile(r"[\r\n]+")
_UPPER = re.compile("[A-Z]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_NO_CHARACTER = re.compile("[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_MANY_MARKS = re.compile(f"({_MARK}{{4}}){_MARK}+")
_SPACE = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")


def cleaned(text: str | bytes, html: bool = False) -> str:
    """Text in Unicode's form C, its lines separated by one \\n. Bytes are UTF-8, what is not becomes U+FFFD.

    html: the text is HTML, of which what a reader would see is kept, links with their visible text.
    """
    found = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    found = found[:MAX_RAW]
    if html:
        found = _visible(found)
    # Pairs of surrogates become the character that they mean, lone ones the replacement character.
    found = found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    found = _NO_CHARACTER.sub("\ufffd", _CONTROL.sub("", found))
    if not found.isascii():
        found = _MANY_MARKS.sub(r"\1", unicodedata.normalize("NFC", _TAGS.sub("", _INVISIBLE.sub("", found))))
        found = _JOINER.sub("", found.replace("\u2028", "\n").replace("\u2029", "\n").replace("\x85", "\n"))
    found = _SPACE.sub(" ", found.replace("\r\n", "\n").replace("\r", "\n"))
    return unicodedata.normalize("NFC", _LINES.sub("\n", found).strip())


def _visible(source: str) -> str:
    """What a browser shows, roughly; a tag that never ends hides the rest, as there.

    Time is linear in the length whatever the source: the standard library's HTMLParser takes 44 s for 180,000
    characters of `<a href='`, and raises on `<![x[`.
    """
    source = _ENDS.sub(" ", source)
    lower = source.lower() if source.isascii() else _UPPER.sub(lambda found: found.group().lower(), source)
    parts: list[str] = []
    at = 0
    while (start := source.find("<", at)) >= 0:
        parts.append(unescape(source[at:start]))
        if source.startswith("<!--", start):
            at = _after(source, "-->", start + 4)
            continue
        tag = _TAG.match(lower, start)
        if tag is None:
            parts.append("<")
            at = start + 1
            continue
        at = _after(source, ">", start)
        name = tag.group(1)
        if name in _BREAKS:
            parts.append("\n")
        elif name == "img" and (alt := _ALT.search(source[start:at])):
            # Custom emoji and pictures say in words what they show.
            parts.append(unescape(alt.group(1) or alt.group(2) or ""))
        elif name in _UNREAD:
            at = _after(source, ">", _after(lower, f"</{name}", at, 0))
    return "".join([*parts, unescape(source[at:])])


def _after(text: str, end: str, start: int, beyond: int = 1) -> int:
    """Where what begins at `start` is over: behind `end`, or (beyond 0) at it; at the text's end without it."""
    found = text.find(end, start)
    return len(text) if found < 0 else found + len(end) * beyond
