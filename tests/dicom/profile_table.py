"""The table of dicom-anonymizer and pydicom's context groups -> functions/imaging/profile.json and concepts.json.

`python -m tests.dicom.profile_table` writes them anew; test_imaging_profile holds that they are what it would write.
"""

import json
from pathlib import Path
from typing import Any

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom.sr._snomed_dict import mapping
from pydicom.sr.codedict import codes

FOLDER = Path(__file__).resolve().parents[2] / "functions" / "imaging"
_ACTIONS = {
    "D": "D", "Z": "Z", "X": "X", "U": "U", "Z_D": "Z/D", "X_Z": "X/Z", "X_D": "X/D", "X_Z_D": "X/Z/D",
    "X_Z_U_STAR": "X/Z/U*",
}  # fmt: skip
_GROUPS = {"regions": ("CID4009", "CID4031"), "views": ("CID4010", "CID4011")}


def profile() -> dict[str, Any]:
    """Tags in hexadecimal by the action of Table E.1-1; x stands for any digit."""
    actions: dict[str, list[str]] = {}
    for name, action in _ACTIONS.items():
        actions[action] = sorted(_tag(given) for given in getattr(table, f"{name}_TAGS"))
    return {
        "table": "DICOM PS3.15 2026c, Table E.1-1, Basic Application Level Confidentiality Profile",
        "source": "dicom-anonymizer 2.1.0, dicomfields_2026c; Copyright 2020 Kitware Europe, BSD-3-Clause",
        "actions": actions,
    }


def concepts() -> dict[str, Any]:
    """Codes by what they are for, each with its scheme, value and meaning; retired SRT values beside their SCT ones."""
    older = mapping["SCT"]
    found: dict[str, dict[str, str]] = {}
    for group, contexts in _GROUPS.items():
        found[group] = {}
        for context in contexts:
            for code in getattr(codes, context).concepts.values():
                found[group][f"{code.scheme_designator}|{code.value}"] = code.meaning
                if code.scheme_designator == "SCT" and code.value in older:
                    found[group][f"SRT|{older[code.value]}"] = code.meaning
    return {
        "source": "pydicom 3.0.2, DICOM PS3.16 CID 4009, 4031 (anatomy), 4010, 4011 (views); MIT",
        **{group: dict(sorted(each.items())) for group, each in found.items()},
    }


def written(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _tag(given: tuple[int, ...]) -> str:
    if len(given) == 2:
        return f"{given[0]:04x}{given[1]:04x}"
    digits, mask = f"{given[0]:04x}{given[1]:04x}", f"{given[2]:04x}{given[3]:04x}"
    return "".join(digit if kept == "f" else "x" for digit, kept in zip(digits, mask, strict=True))


if __name__ == "__main__":
    for name, content in {"profile": profile(), "concepts": concepts()}.items():
        (FOLDER / f"{name}.json").write_text(written(content), encoding="utf-8")
