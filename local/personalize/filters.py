"""Parts of a filter expression -> which items a user's list may have. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from local.personalize.expressions import ANY, ITEMS, Condition, ExpressionError, Part, listed

_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip

Row = Mapping[str, str]
Values = Mapping[str, str]


@dataclass(frozen=True)
class Known:
    """What an expression is asked about: rows of items by id, the user's row, and rows of what the user did."""

    items: Mapping[str, Row]
    user: Row
    interactions: Iterable[Row]


def allowed(parts: Sequence[Part], values: Values, known: Known) -> Callable[[str], bool]:
    """Item -> whether the filter lets it pass. Raises ExpressionError for a parameter without a value."""
    included: list[Callable[[str], bool]] = []
    excluded: list[Callable[[str], bool]] = []
    for part in parts:
        if not all(_test(condition, values)(known.user) for condition in part.when):
            continue
        (included if part.include else excluded).append(_matching(part, values, known))
    return lambda item: (
        (not included or any(is_in(item) for is_in in included)) and not any(is_out(item) for is_out in excluded)
    )


def _matching(part: Part, values: Values, known: Known) -> Callable[[str], bool]:
    if part.alternatives[0][0].dataset == ITEMS:
        groups = [[_test(condition, values) for condition in group] for group in part.alternatives]
        empty: Row = {}

        def of_item(item: str) -> bool:
            row = known.items.get(item, empty)
            return any(all(test(row) for test in group) for group in groups)

        return of_item
    # Of interactions, NOT IN is about the item: nothing that was done with it is one of these.
    done = []
    for group in part.alternatives:
        tests = [(condition.operator != "NOT IN", _test(_positive(condition), values)) for condition in group]
        done.append([(wanted, {row["ITEM_ID"] for row in known.interactions if test(row)}) for wanted, test in tests])
    return lambda item: any(all((item in items) == wanted for wanted, items in group) for group in done)


def _positive(condition: Condition) -> Condition:
    if condition.operator != "NOT IN":
        return condition
    return Condition(condition.dataset, condition.field, "IN", condition.values)


def _test(condition: Condition, values: Values) -> Callable[[Row], bool]:
    """Whether a row's field fits; of several categories (a|b) one is enough. What a row does not have fits NOT IN."""
    wanted = {text for value in condition.values for text in _meant(value, values)}
    field, positive = condition.field, condition.operator == "IN"
    if condition.operator in _COMPARED:
        return _comparison(field, condition.operator, min(wanted))
    anything = ANY in wanted

    def fits(row: Row) -> bool:
        held = row.get(field) or ""
        found = bool(held) and (anything or held in wanted or not wanted.isdisjoint(held.split("|")))
        return found == positive

    return fits


def _comparison(field: str, operator: str, wanted: str) -> Callable[[Row], bool]:
    compare = _COMPARED[operator]
    try:
        number = float(wanted)
    except ValueError:  # a text: it can only be equal
        return lambda row: operator == "=" and row.get(field) == wanted

    def fits(row: Row) -> bool:
        try:
            return compare(float(row.get(field) or "nan"), number) and bool(row.get(field))
        except ValueError:
            return False

    return fits


def _meant(value: str, values: Values) -> list[str]:
    if not value.startswith("$"):
        return [value]
    if value[1:] not in values:
        raise ExpressionError(f"the parameter {value[1:]} has no value in filterValues")
    return listed(values[value[1:]])
