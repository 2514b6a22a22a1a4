"""PartiQL text and parameters -> its parse, from the memory of an earlier parse of the same text.

MiniStack parses every statement of a batch twice, which is most of what a conditional write costs on the laptop, while
a function's statements differ in their parameters only.
"""

from collections.abc import Callable
from typing import Any

Parameters = list[dict[str, Any]]
Parse = Callable[[str, Parameters], dict[str, Any]]
REMEMBERED = 512


def remembering(parse: Parse) -> Parse:
    """`parse`, asked once for each text and types of parameters; an error is not remembered.

    A parse is remembered only if every parameter is in it as it was given. What the parser computes from values (a set
    without duplicates, say) is parsed anew each time.
    """
    # Of each statement: its parse with stand-ins for the parameters; None where it cannot be remembered.
    known: dict[tuple[str, tuple[str, ...]], tuple[Any, Parameters] | None] = {}

    def remembered(text: str, parameters: Parameters) -> dict[str, Any]:
        if not parameters or not all(isinstance(value, dict) and len(value) == 1 for value in parameters):
            return parse(text, parameters)
        key = (text, tuple(next(iter(value)) for value in parameters))
        if key not in known:
            if len(known) >= REMEMBERED:
                known.clear()
            stand_ins = [dict(value) for value in parameters]
            tree = parse(text, stand_ins)
            seen = _places(tree, {id(value) for value in stand_ins})
            known[key] = (tree, stand_ins) if seen == len(parameters) else None
        template = known[key]
        if template is None:
            return parse(text, parameters)
        tree, stand_ins = template
        filled: dict[str, Any] = _filled(tree, {id(old): new for old, new in zip(stand_ins, parameters, strict=True)})
        return filled

    return remembered


def _places(node: Any, wanted: set[int]) -> int:
    """How often the stand-ins stand in the tree."""
    if id(node) in wanted:
        return 1
    if isinstance(node, dict):
        return sum(_places(child, wanted) for child in node.values())
    if isinstance(node, (tuple, list)):
        return sum(_places(child, wanted) for child in node)
    return 0


def _filled(node: Any, values: dict[int, dict[str, Any]]) -> Any:
    """Copy of the tree with the values in the places of the stand-ins."""
    value = values.get(id(node))
    if value is not None:
        return value
    if isinstance(node, dict):
        return {name: _filled(child, values) for name, child in node.items()}
    if isinstance(node, tuple):
        return tuple([_filled(child, values) for child in node])
    if isinstance(node, list):
        return [_filled(child, values) for child in node]
    return node
