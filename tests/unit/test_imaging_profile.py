"""The profile's table: the data that we ship are what their source says, and what is kept is what it lets stand."""

import json
from typing import Any

import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from functions.imaging import profile
from functions.imaging.deidentification import CODES
from tests.dicom import profile_table

RULES: dict[str, Any] = json.loads((profile_table.FOLDER / "retained.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["profile", "concepts"])
def test_data_files_are_what_their_source_gives(name: str) -> None:
    """Stale = red: `python -m tests.dicom.profile_table` writes them."""
    text = (profile_table.FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert text == profile_table.written(getattr(profile_table, name)())


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (0x00100010, "Z"), (0x00080018, "U"), (0x00100020, "Z/D"), (0x00081010, "X/Z/D"), (0x00081140, "X/Z/U*"),
        (0x00181030, "X/D"), (0x00091001, "X"), (0x60003000, "X"), (0x601E4000, "X"), (0x50001234, "X"),
        (0x00280010, None), (0x00180015, None), (0x60000010, None), (0xFFFCFFFC, "X"),
    ],
)  # fmt: skip
def test_actions_are_those_of_the_standard(tag: int, expected: str | None) -> None:
    assert profile.action(tag) == expected


def test_what_is_kept_is_left_alone_by_the_table_or_let_stand_by_an_option_that_we_say() -> None:
    let_stand = {keyword for kept in profile.OPTIONS.values() for keyword in kept}
    named = [*RULES["terms"], *RULES["numbers"], *RULES["dates"], *RULES["times"], *RULES["codes"]]
    for keyword in named:
        tag = tag_for_keyword(keyword)
        assert tag is not None, f"{keyword} is no attribute of the standard"
        assert profile.action(tag) is None or keyword in let_stand, f"{keyword}: {profile.action(tag)}"
    assert all(profile.action(tag_for_keyword(keyword) or 0) == "U" for keyword in RULES["uids"])
    assert {*RULES["dates"], *RULES["times"]} == set(profile.OPTIONS["113107"])
    assert set(profile.OPTIONS) | {"113100", "113101"} == set(CODES)


def test_only_attributes_that_hold_terms_have_terms() -> None:
    """A code string of 16 characters can hold a name, so each is one of the standard's terms."""
    assert all(len(term) <= 16 and term == term.upper() for terms in RULES["terms"].values() for term in terms)
    assert all(RULES["instead"][keyword] in RULES["terms"][keyword] for keyword in RULES["instead"])
    assert all(low < high for low, high in RULES["numbers"].values())


def test_an_empty_data_set_lacks_what_must_be_said() -> None:
    found = profile.violations(Dataset(), Dataset())
    assert {each.tag for each in found} == {"00120062", "00120064"}
    assert [each.why for each in found if "113100" in each.why]
