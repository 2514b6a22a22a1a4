"""Filter expressions: which items they let pass, and what is refused."""

import pytest

from local.personalize.expressions import ExpressionError, listed, parameters, parse
from local.personalize.filters import Known, allowed

ITEMS = {
    "a": {"ITEM_ID": "a", "CATEGORY": "shoes", "PRICE": "10"},
    "b": {"ITEM_ID": "b", "CATEGORY": "shoes|sale", "PRICE": "20.5"},
    "c": {"ITEM_ID": "c", "CATEGORY": "hats", "PRICE": ""},
    "d": {"ITEM_ID": "d", "CATEGORY": "", "PRICE": "5"},
}
DONE = [{"ITEM_ID": "a", "EVENT_TYPE": "view"}, {"ITEM_ID": "b", "EVENT_TYPE": "view"},
        {"ITEM_ID": "b", "EVENT_TYPE": "purchase"}]  # fmt: skip
USER = {"USER_ID": "u", "AGE": "30", "MEMBER": "yes"}


def passing(expression: str, **values: str) -> str:
    """Names of the items that pass, in order; `e` is one that the items dataset does not have."""
    passes = allowed(parse(expression), values, Known(ITEMS, USER, DONE))
    return "".join(item for item in "abcde" if passes(item))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('INCLUDE ItemID WHERE Items.CATEGORY IN ("shoes")', "ab"),
        ('INCLUDE ItemID WHERE Items.CATEGORY IN ("sale", "hats")', "bc"),
        ('EXCLUDE ItemID WHERE Items.CATEGORY IN ("shoes")', "cde"),
        ('EXCLUDE ItemID WHERE Items.CATEGORY NOT IN ("shoes")', "ab"),
        ("INCLUDE ItemID WHERE Items.PRICE < 20", "ad"),
        ("INCLUDE ItemID WHERE Items.PRICE >= 10 AND Items.PRICE != 20.5", "a"),
        ('INCLUDE ItemID WHERE Items.CATEGORY IN ("hats") OR Items.PRICE < 6', "cd"),
        ('INCLUDE ItemID WHERE Items.CATEGORY IN ("hats") OR Items.PRICE > 5 AND Items.PRICE < 15', "ac"),
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")', "acde"),
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', "cde"),
        ("INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", "ab"),
        ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ("purchase")', "acde"),
        ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view") AND Interactions.EVENT_TYPE NOT IN ("purchase")',
         "a"),
        ('INCLUDE ItemID WHERE Items.CATEGORY IN ("hats") | INCLUDE ItemID WHERE Items.PRICE < 6', "cd"),
        ('INCLUDE ItemID WHERE Items.PRICE > 5 | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")', "a"),
        ('EXCLUDE ItemID WHERE Items.CATEGORY IN ("shoes") IF CurrentUser.AGE >= 18', "cde"),
        ('EXCLUDE ItemID WHERE Items.CATEGORY IN ("shoes") IF CurrentUser.AGE < 18', "abcde"),
        ('EXCLUDE ItemID WHERE Items.PRICE > 0 IF CurrentUser.AGE > 18 AND CurrentUser.MEMBER IN ("no")', "abcde"),
        ('include itemid where items.CATEGORY in ("hats")', "c"),
    ],
)  # fmt: skip
def test_items_that_pass(expression: str, expected: str) -> None:
    assert passing(expression) == expected


def test_parameters_get_their_values_with_the_request() -> None:
    expression = "INCLUDE ItemID WHERE Items.CATEGORY IN ($CATEGORY) AND Items.PRICE < $MOST"
    assert parameters(parse(expression)) == {"CATEGORY", "MOST"}
    assert passing(expression, CATEGORY='"shoes","hats"', MOST="15") == "a"
    with pytest.raises(ExpressionError, match="MOST has no value"):
        passing(expression, CATEGORY='"shoes"')
    assert listed(r'"a \"quoted\" one", 3') == ['a "quoted" one', "3"]


@pytest.mark.parametrize(
    "expression",
    [
        "", "INCLUDE", 'INCLUDE UserID WHERE Items.A IN ("a")', "INCLUDE ItemID WHERE Items.A", "SHOW ItemID",
        "INCLUDE ItemID WHERE Items.A IN ()", 'INCLUDE ItemID WHERE Items.A IN ("a"',
        "INCLUDE ItemID WHERE Items.A IN (a)",
        'INCLUDE ItemID WHERE Users.A IN ("a")', 'INCLUDE ItemID WHERE Items.A IN ("a") trailing',
        'INCLUDE ItemID WHERE Items.A IN ("a") AND Interactions.B IN ("b")', "INCLUDE ItemID WHERE Items.A < ",
        'INCLUDE ItemID WHERE Items.A IN ("a") IF Items.B IN ("b")', 'INCLUDE ItemID WHERE CurrentUser.A IN ("a")',
        " | ".join(['EXCLUDE ItemID WHERE Items.A IN ("a")'] * 11), 'INCLUDE ItemID WHERE Items.A IN ("a") ;',
    ],
)  # fmt: skip
def test_what_is_no_expression_says_why(expression: str) -> None:
    with pytest.raises(ExpressionError, match=r"expected|understood|must be|may stand|at most"):
        parse(expression)
