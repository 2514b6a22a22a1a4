"""A remembered PartiQL parse is the parse that the parser would have made, with these parameters."""

from typing import Any

import pytest

from local.emulator.parsing import remembering


class Parser:
    """Builds a tree as MiniStack does: parameters as leaves, except in a set, where it computes with them."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, text: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
        self.calls += 1
        if "broken" in text:
            raise ValueError(text)
        leaves: Any = [("lit", value, "param") for value in parameters]
        if "<<" in text:
            leaves = {"SS": sorted({value["S"] for value in parameters})}
        return {"op": "UPDATE", "path": ("path", ["id"], 3), "set": {"a": leaves}}


@pytest.mark.parametrize("text", ["UPDATE t SET a=? WHERE id=?", "UPDATE t SET a=<<?, ?>>"])
def test_it_answers_as_the_parser_does(text: str) -> None:
    remembered = remembering(Parser())
    for parameters in ([{"S": "a"}, {"S": "b"}], [{"S": "b"}, {"S": "b"}], [{"S": "a"}, {"N": "1"}][:1] * 2, []):
        assert remembered(text, list(parameters)) == Parser()(text, list(parameters))


def once(text: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {"op": "UPDATE", "where": ("lit", parameters[0], "param")}


def test_a_text_is_parsed_once_and_its_tree_is_the_callers_own() -> None:
    calls = []

    def parse(text: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
        calls.append(text)
        return once(text, parameters)

    remembered = remembering(parse)
    first = remembered("UPDATE", [{"S": "a"}])
    first["where"] = None
    assert remembered("UPDATE", [{"S": "b"}]) == {"op": "UPDATE", "where": ("lit", {"S": "b"}, "param")}
    assert remembered("UPDATE", [{"N": "1"}])["where"][1] == {"N": "1"}
    assert calls == ["UPDATE", "UPDATE"]


def test_errors_are_raised_every_time() -> None:
    remembered = remembering(Parser())
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            remembered("broken", [{"S": "a"}])
