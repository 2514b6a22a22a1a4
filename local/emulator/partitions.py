"""A Glue table, its registered partitions, object keys -> which objects Athena reads, each with its partition's values.

With partition projection the table's properties say which partitions there are; without it only registered ones are
read. An object elsewhere below the table's location is not seen, as on AWS.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlparse

Description = dict[str, Any]
Values = tuple[str, ...]
# Whether a value of a partition key is projected.
Projected = Callable[[str], bool]

_JAVA = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_NOW = re.compile(r"NOW(?:\s*([+-])\s*(\d+)\s*(SECOND|MINUTE|HOUR|DAY|WEEK|MONTH|YEAR)S?)?")
_DAYS = {"SECOND": 1 / 86400, "MINUTE": 1 / 1440, "HOUR": 1 / 24, "DAY": 1, "WEEK": 7, "MONTH": 30, "YEAR": 365}


class TablePropertyError(Exception):
    """A table's properties of projection are not such."""


def place(table: Description) -> tuple[str, str]:
    """Bucket and prefix of a table's location; the prefix ends in a slash or is empty."""
    return _place(table["StorageDescriptor"]["Location"])


def read(
    table: Description, registered: Sequence[Description], keys: Iterable[str], now: datetime
) -> list[tuple[str, Values]]:
    """(key, values of the partition keys) of each object that is read.

    `keys` are those of the bucket below the location. Raises TablePropertyError.
    """
    _, prefix = place(table)
    names = [each["Name"].lower() for each in table.get("PartitionKeys") or []]
    visible = [key for key in keys if key.startswith(prefix) and not _hidden(key[len(prefix) :])]
    properties = table.get("Parameters") or {}
    if not names:
        return [(key, ()) for key in visible]
    if properties.get("projection.enabled", "").lower() == "true":
        return _projected(names, properties, prefix, visible, now)
    prefixes = [(_place(each["StorageDescriptor"]["Location"])[1], tuple(each["Values"])) for each in registered]
    return [(key, values) for key in visible for under, values in prefixes if key.startswith(under)]


def _projected(
    names: list[str], properties: Description, prefix: str, keys: Sequence[str], now: datetime
) -> list[tuple[str, Values]]:
    rules = [_rule(name, properties, now) for name in names]
    template = properties.get("storage.location.template")
    under = _place(template)[1] if template else prefix + "".join(f"{name}=${{{name}}}/" for name in names)
    pattern = re.escape(under)
    for name in names:
        placeholder = re.escape(f"${{{name}}}")
        if placeholder not in pattern:
            raise TablePropertyError(f"storage.location.template lacks ${{{name}}}")
        deeper = properties.get(f"projection.{name}.format", "").count("/")  # such as yyyy/MM/dd
        value = f"(?P<{name}>[^/]+(?:/[^/]+){{{deeper}}})"
        pattern = pattern.replace(placeholder, value, 1).replace(placeholder, f"(?P={name})")
    found = []
    for key in keys:
        match = re.match(pattern, key)
        if match and all(rule(match[name]) for rule, name in zip(rules, names, strict=True)):
            found.append((key, tuple(match[name] for name in names)))
    return found


def _rule(name: str, properties: Description, now: datetime) -> Projected:
    def given(what: str) -> str:
        text = properties.get(f"projection.{name}.{what}")
        if text is None:
            raise TablePropertyError(f"projection.{name}.{what} is missing")
        return str(text)

    kind = given("type").lower()
    if kind == "enum":
        return frozenset(value.strip() for value in given("values").split(",")).__contains__
    if kind == "injected":
        return lambda _: True
    if kind == "integer":
        least, most = (int(part) for part in given("range").split(","))
        digits = int(properties.get(f"projection.{name}.digits", 0))
        return lambda value: value.isdigit() and least <= int(value) <= most and len(value) >= digits
    if kind == "date":
        return _dates(given("format"), given("range"), now)
    raise TablePropertyError(f"projection.{name}.type is {kind}: enum, integer, date and injected are known")


def _dates(pattern: str, span: str, now: datetime) -> Projected:
    layout = re.sub(r"yyyy|MM|dd|HH|mm|ss", lambda found: _JAVA[found[0]], pattern.replace("'", ""))
    if re.search(r"(?<!%)[A-Za-z]", layout):
        raise TablePropertyError(f"the format {pattern} is not known here: yyyy, MM, dd, HH, mm and ss are")
    parts = [part.strip() for part in span.split(",")]
    if len(parts) != 2:
        raise TablePropertyError(f"the range {span} has no two ends")
    first, last = (_bound(part, layout, now) for part in parts)

    def projected(value: str) -> bool:
        try:
            moment = datetime.strptime(value, layout).replace(tzinfo=UTC)
        except ValueError:
            return False
        return first <= moment <= last and moment.strftime(layout) == value

    return projected


def _bound(text: str, layout: str, now: datetime) -> datetime:
    """An end of a range, as exactly as the format tells."""
    found = _NOW.fullmatch(text)
    if found:
        sign, count, unit = found.groups()
        distance = timedelta(days=int(count or 0) * _DAYS[unit]) if unit else timedelta()
        text = (now - distance if sign == "-" else now + distance).strftime(layout)
    try:
        return datetime.strptime(text, layout).replace(tzinfo=UTC)
    except ValueError as error:
        raise TablePropertyError(f"an end of a range is wrong: {error}") from None


def _place(location: str) -> tuple[str, str]:
    parsed = urlparse(location.replace("#", "%23"))
    prefix = parsed.path.lstrip("/")
    return parsed.netloc, prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def _hidden(path: str) -> bool:
    """Whether Athena passes over an object: a folder's mark, or a name that begins with _ or a dot."""
    return path.endswith("/") or not path or any(part.startswith(("_", ".")) for part in path.split("/"))
