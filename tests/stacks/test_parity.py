"""docs/parity.md says how the targets differ today, and no difference goes without its reason."""

import copy

import pytest

from cdk.parity import PAGE, Templates, page
from tests.stacks.synthesis import STACKS, TARGET_NAMES, assembly


def templates() -> Templates:
    return {target: {stack: assembly(target).template(stack) for stack in STACKS} for target in TARGET_NAMES}


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(templates()), "run: .venv/bin/python -m cdk.parity"


def test_a_difference_that_nobody_explains_is_refused() -> None:
    differing = copy.deepcopy(dict(templates()))
    function = next(
        resource
        for resource in differing["local"]["CuatroFraud"]["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    )
    function["Properties"]["Timeout"] += 1
    with pytest.raises(ValueError, match=r"AWS::Lambda::Function\.Properties\.Timeout differs"):
        page(differing)
