"""Settings from the environment."""

from dataclasses import dataclass

import pytest

from cuatro.config import Misconfigured, read


@dataclass(frozen=True)
class Example:
    table: str
    days: float
    count: int = 3


def test_fields_are_variables_in_upper_case() -> None:
    assert read(Example, {"TABLE": "t", "DAYS": "1.5", "OTHER": "x"}) == Example("t", 1.5, 3)
    assert read(Example, {"TABLE": "", "DAYS": "2", "COUNT": "4"}) == Example("", 2.0, 4)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(Misconfigured, match=r"TABLE is not set; DAYS='soon' is not of type float"):
        read(Example, {"DAYS": "soon"})


def test_a_field_of_another_type_is_a_mistake_of_ours() -> None:
    @dataclass(frozen=True)
    class Wrong:
        tables: list[str]

    with pytest.raises(TypeError, match="tables"):
        read(Wrong, {"TABLES": "a"})
