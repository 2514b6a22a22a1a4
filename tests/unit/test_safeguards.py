"""docs/hipaa.md is what the marked tests make of it, and every safeguard has a test that holds it."""

from pathlib import Path

import pytest

from tests.safeguards import PAGE, SAFEGUARDS, marked, page


def test_every_mark_names_a_safeguard() -> None:
    unknown = {(section, test.path) for section, test in marked() if section not in SAFEGUARDS}

    assert not unknown


def test_every_safeguard_has_a_test() -> None:
    assert set(SAFEGUARDS) - {section for section, _ in marked()} == set()


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make it anew: python -m tests.safeguards"


def test_marks_of_functions_and_of_modules_are_found(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text(
        '@pytest.mark.safeguard("164.312(b)", "164.312(d)")\ndef test_it_is_told() -> None: ...\n'
        "@pytest.mark.slow\ndef test_another() -> None: ...\n"
    )
    (tmp_path / "tests" / "test_two.py").write_text(
        'pytestmark = [pytest.mark.safeguard("164.312(b)")]\ndef test_all() -> None: ...\n'
    )

    assert [(section, test.name) for section, test in marked(tmp_path)] == [
        ("164.312(b)", "test_it_is_told"),
        ("164.312(d)", "test_it_is_told"),
        ("164.312(b)", "test_all"),
    ]
    made = page(tmp_path)
    assert "- It is told.  \n  `tests/test_one.py::test_it_is_told`" in made


def test_the_marker_is_known_to_pytest(pytestconfig: pytest.Config) -> None:
    assert any(line.startswith("safeguard") for line in pytestconfig.getini("markers"))
