"""Text of a filter expression -> its parts: which conditions on what is known of items, users and what they did.

    EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase") | INCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY)

The language is that of Personalize's developer guide ("Filter expression structure and elements"): conditions by IN,
NOT IN and comparisons, AND before OR, one dataset a part, IF with CurrentUser, parameters; parts combined by "|".
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

INTERACTIONS, ITEMS, USER = "Interactions", "Items", "CurrentUser"
ANY = "*"
MOST_PARTS = 10
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<parameter>\$[A-Za-z_]\w*)'
    r"|(?P<field>[A-Za-z]\w*\.[A-Za-z_]\w*)|(?P<word>[A-Za-z]+)|(?P<sign><=|>=|!=|[=<>(),|*]))"
)
COMPARED = ("=", "!=", "<", "<=", ">", ">=")


class ExpressionError(ValueError):
    """The expression, or a value for its parameters, cannot be understood; str() says where."""


@dataclass(frozen=True)
class Condition:
    """dataset.field operator values: texts without their quotes, `*` for anything, $NAME for a parameter."""

    dataset: str
    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """Conditions as a list of alternatives, each a list that holds together; `when` is what the user must be."""

    include: bool
    alternatives: tuple[tuple[Condition, ...], ...]
    when: tuple[Condition, ...]


def parse(text: str) -> tuple[Part, ...]:
    """The parts of an expression. Raises ExpressionError."""
    tokens = _Tokens(text)
    parts = [_part(tokens)]
    while tokens.skip("|"):
        parts.append(_part(tokens))
    if tokens.kind:
        raise tokens.wrong("AND, OR, IF, | or the end")
    if len(parts) > MOST_PARTS:
        raise ExpressionError(f"a filter has at most {MOST_PARTS} expressions, not {len(parts)}")
    return tuple(parts)


def parameters(parts: Iterable[Part]) -> set[str]:
    """Names of the parameters, without the dollar."""
    return {value[1:] for each in conditions(parts) for value in each.values if value.startswith("$")}


def conditions(parts: Iterable[Part]) -> list[Condition]:
    """All conditions."""
    return [each for part in parts for group in (*part.alternatives, part.when) for each in group]


def listed(text: str) -> list[str]:
    """A parameter's value, as `"a","b"` or `3` -> its texts. Raises ExpressionError."""
    tokens = _Tokens(text)
    found = [tokens.value()]
    while tokens.skip(","):
        found.append(tokens.value())
    if tokens.kind:
        raise tokens.wrong("a comma or the end")
    return found


class _Tokens:
    """The words of an expression, one after another."""

    def __init__(self, text: str) -> None:
        self._text, self._end = text, 0
        self.kind, self.token = "", ""
        self.next()

    def next(self) -> str:
        """The token, and goes on to the next."""
        token = self.token
        rest = self._text[self._end :]
        if not rest.strip():
            self.kind, self.token = "", ""
            return token
        found = _TOKEN.match(self._text, self._end)
        if not found or not found.lastgroup:
            raise ExpressionError(f"{rest.strip()[:20]!r} is not understood")
        self._end, self.kind, self.token = found.end(), found.lastgroup, found[found.lastgroup]
        return token

    def skip(self, word: str) -> bool:
        """Whether it is that word (in any capitals) or sign; goes on then."""
        if self.kind in ("word", "sign") and self.token.upper() == word.upper():
            self.next()
            return True
        return False

    def take(self, word: str) -> None:
        """Goes on past the word. Raises ExpressionError where it is another."""
        if not self.skip(word):
            raise self.wrong(word)

    def value(self) -> str:
        """A text, a number, or a parameter."""
        if self.kind == "text":
            return re.sub(r"\\(.)", r"\1", self.next()[1:-1])
        if self.kind in ("number", "parameter") or self.token == ANY:
            return self.next()
        raise self.wrong('a value as "text", 3 or $PARAMETER')

    def wrong(self, expected: str) -> ExpressionError:
        """What to raise."""
        return ExpressionError(f"{expected} is expected in place of {self.token or 'the end'!r}")


def _part(tokens: _Tokens) -> Part:
    include = tokens.skip("INCLUDE")
    if not include:
        tokens.take("EXCLUDE")
    tokens.take("ItemID")
    tokens.take("WHERE")
    alternatives = [[_condition(tokens, (INTERACTIONS, ITEMS))]]
    while True:
        if tokens.skip("AND"):
            alternatives[-1].append(_condition(tokens, (INTERACTIONS, ITEMS)))
        elif tokens.skip("OR"):
            alternatives.append([_condition(tokens, (INTERACTIONS, ITEMS))])
        else:
            break
    when: list[Condition] = []
    if tokens.skip("IF"):
        when.append(_condition(tokens, (USER,)))
        while tokens.skip("AND"):
            when.append(_condition(tokens, (USER,)))
    every = [condition for group in alternatives for condition in group]
    if any(one.dataset != other.dataset for one, other in pairwise(every)):
        raise ExpressionError("conditions joined by AND or OR must be of one dataset: combine expressions by |")
    return Part(include, tuple(map(tuple, alternatives)), tuple(when))


def _condition(tokens: _Tokens, datasets: Sequence[str]) -> Condition:
    if tokens.kind != "field":
        raise tokens.wrong(f"a field of {' or '.join(datasets)}")
    dataset, _, field = tokens.next().partition(".")
    spelled = next((known for known in datasets if known.lower() == dataset.lower()), None)
    if spelled is None:
        raise ExpressionError(f"{dataset} is none of {', '.join(datasets)}, which may stand here")
    if tokens.token in COMPARED:
        return Condition(spelled, field, tokens.next(), (tokens.value(),))
    operator = "NOT IN" if tokens.skip("NOT") else "IN"
    tokens.take("IN")
    tokens.take("(")
    values = [tokens.value()]
    while tokens.skip(","):
        values.append(tokens.value())
    tokens.take(")")
    return Condition(spelled, field, operator, tuple(values))
