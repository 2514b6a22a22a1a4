"""Get, Std:Join and Std:JsonGet in a pipeline's definition -> what they need, and their values in an execution."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]

EXECUTION_VARIABLES = frozenset(
    {
        "PipelineName",
        "PipelineArn",
        "PipelineExecutionId",
        "PipelineExecutionArn",
        "StartDateTime",
        "CurrentDateTime",
    }
)
FUNCTIONS = ("Get", "Std:Join", "Std:JsonGet")
PROPERTY_FILES = "PropertyFiles"
# .member, ['key'] or [0]
_PART = re.compile(r"\.?([A-Za-z0-9_:\-]+)|\[\s*(?:'([^']*)'|\"([^\"]*)\"|(\d+))\s*\]")
# By which member of its elements a list is read with a name: Outputs['train'] is the one whose OutputName is train.
_NAMES = ("OutputName", "InputName", "ChannelName", "MetricName", "Name", "ContainerHostname", "VariantName")


class Malformed(Exception):  # noqa: N818 - reads as what it is
    """A reference that cannot be read: says which and why."""


class Undefined(Exception):  # noqa: N818 - reads as what it is
    """A reference without a value in this execution."""


@dataclass(frozen=True)
class Reference:
    """What one `Get` names: a parameter, a variable of the execution, or a property of a step."""

    text: str
    scope: str
    name: str
    path: Path = ()

    @property
    def step(self) -> str | None:
        """The step that it waits for."""
        return self.name if self.scope == "Steps" else None

    @property
    def property_file(self) -> str | None:
        """The property file that it names."""
        file = self.scope == "Steps" and len(self.path) == 2 and self.path[0] == PROPERTY_FILES
        return str(self.path[1]) if file else None


@dataclass(frozen=True)
class Source:
    """Where values come from in an execution: of a reference, and the JSON document that Std:JsonGet reads."""

    value: Callable[[Reference], Any]
    document: Callable[[Reference | str], Any]


def path_of(text: str) -> Path:
    """a.b['c'][0] -> ("a", "b", "c", 0). Raises Malformed."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        found = _PART.match(text, position)
        if not found:
            raise Malformed(f"[{text}] is not a path: parts are .name, ['name'] or [0].")
        member, single, double, index = found.groups()
        parts.append(
            int(index) if index is not None else next(part for part in (member, single, double) if part is not None)
        )
        position = found.end()
    return tuple(parts)


def parse(text: object) -> Reference:
    """The text of a `Get`. Raises Malformed."""
    if not isinstance(text, str):
        raise Malformed(f"Get expects a string, not {text!r}.")
    scope, dot, rest = text.partition(".")
    if scope not in ("Parameters", "Execution", "Steps") or not dot or not rest:
        raise Malformed(f"Reference [{text}] does not begin with Parameters., Execution. or Steps.")
    if scope != "Steps":
        return Reference(text, scope, rest)
    step, *path = path_of(rest)
    if not path:
        raise Malformed(f"Reference [{text}] names a step, but none of its properties.")
    return Reference(text, scope, str(step), tuple(path))


def function(value: object) -> str | None:
    """Get, Std:Join or Std:JsonGet when the value is a call of it. Raises Malformed for a call that is none."""
    if not isinstance(value, dict) or not (
        found := [key for key in value if key in FUNCTIONS or str(key).startswith("Std:")]
    ):
        return None
    if len(value) != 1 or found[0] not in FUNCTIONS:
        raise Malformed(f"{found[0]} is not a function, or stands beside other members: {sorted(map(str, value))}.")
    return str(found[0])


def references(value: Any) -> Iterator[Reference]:
    """Every reference anywhere in a JSON value. Raises Malformed."""
    kind = function(value)
    if kind == "Get":
        yield parse(value["Get"])
    elif kind == "Std:Join":
        yield from references(_join(value)[1])
    elif kind == "Std:JsonGet":
        source, _ = _json_get(value)
        yield from (source,) if isinstance(source, Reference) else references(source)
    elif isinstance(value, dict):
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for element in value:
            yield from references(element)


def resolve(value: Any, source: Source) -> Any:
    """The value with every function replaced by what it gives. Raises Undefined."""
    kind = function(value)
    if kind == "Get":
        return source.value(parse(value["Get"]))
    if kind == "Std:Join":
        on, values = _join(value)
        return on.join(text_of(resolve(part, source)) for part in values)
    if kind == "Std:JsonGet":
        wanted, path = _json_get(value)
        document = source.document(wanted if isinstance(wanted, Reference) else resolve(wanted, source))
        return at(document, path_of(path), f"{path} of {getattr(wanted, 'text', wanted)}")
    if isinstance(value, dict):
        return {key: resolve(member, source) for key, member in value.items()}
    if isinstance(value, list):
        return [resolve(element, source) for element in value]
    return value


def at(value: Any, path: Path, text: str) -> Any:
    """What a path finds in a value; a list is read by position, or by the name of its elements. Raises Undefined."""
    for part in path:
        value = _named(value, part) if isinstance(value, list) and isinstance(part, str) else _member(value, part)
        if value is None:
            raise Undefined(f"{text} is undefined: there is no {part!r}.")
    return value


def text_of(value: Any) -> str:
    """A value as Std:Join and ListPipelineParametersForExecution write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise Undefined(f"{value!r} is neither text nor a number, so it cannot be joined.")
    return str(value)


def _member(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(str(part))
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _named(elements: list[Any], name: str) -> Any:
    named = (
        element for element in elements if isinstance(element, dict) and name in [element.get(key) for key in _NAMES]
    )
    return next(named, None)


def _join(call: dict[str, Any]) -> tuple[str, list[Any]]:
    arguments = call["Std:Join"]
    if not isinstance(arguments, dict) or set(arguments) != {"On", "Values"}:
        raise Malformed(f"Std:Join expects On and Values, not {arguments!r}.")
    on, values = arguments["On"], arguments["Values"]
    if not isinstance(on, str) or not isinstance(values, list):
        raise Malformed(f"Std:Join expects a string On and a list of Values, not {arguments!r}.")
    return on, values


def _json_get(call: dict[str, Any]) -> tuple[Reference | Any, str]:
    """(reference of a property file, or the expression of an S3 URI; path)."""
    arguments = call["Std:JsonGet"]
    known = isinstance(arguments, dict) and set(arguments) in ({"PropertyFile", "Path"}, {"S3Uri", "Path"})
    if not known or not isinstance(arguments["Path"], str) or not arguments["Path"]:
        raise Malformed(f"Std:JsonGet expects PropertyFile (or S3Uri) and Path, not {arguments!r}.")
    path_of(arguments["Path"])
    if "S3Uri" in arguments:
        return arguments["S3Uri"], arguments["Path"]
    file = arguments["PropertyFile"]
    reference = parse(file["Get"]) if function(file) == "Get" else None
    if reference is None or reference.property_file is None:
        raise Malformed(
            f"Std:JsonGet expects a PropertyFile such as Steps.Evaluate.PropertyFiles.Report, not {file!r}."
        )
    return reference, arguments["Path"]
