"""Studies, tasks, identities and reports -> the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.demo.imaging.cases import Case
from local.demo.imaging.results import lines

COLOURS = {"read": "green", "review": "yellow", "failed": "red", "rejected": "red", "expired": "red"}
STATES = {"read": "answered", "review": "for a person"}
IDENTITY = ("PatientName", "PatientID", "PatientBirthDate", "StudyDate", "StudyDescription", "InstitutionName",
            "DeviceSerialNumber", "StudyInstanceUID")  # fmt: skip
TOLD = {"Finding", "Probability of pneumonia", "Certainty of Finding", "Reason", "Impression"}
WIDE = 40


def show_cases(
    console: Console,
    cases: Sequence[Case],
    rows: Mapping[str, Mapping[str, Any]],
    readings: Mapping[str, tuple[str, Sequence[str]]],
) -> None:
    """One line a study: what it is, what became of it, what the model says and why. readings: of those that wait."""
    table = Table("study", "state", "the model", "why", box=box.SIMPLE_HEAD)
    for case in cases:
        row = rows[case.study]
        state = row["state"]
        outcome = row["outcome"] or {}
        said, why = readings.get(case.study) or (_said(outcome), [*row["refused"], *outcome.get("why", ())])
        reasons = ", ".join(each for each in dict.fromkeys(why) if each != said)
        table.add_row(
            case.shows, f"[{COLOURS.get(state, 'dim')}]{STATES.get(state, state)}[/]",
            said.replace("_", " "), reasons.replace("_", " "),
        )  # fmt: skip
    console.print(table)


def _said(outcome: Mapping[str, Any]) -> str:
    if not outcome.get("suggested"):
        return ""
    share = f" {outcome['probability']:.2f}" if outcome.get("probability") is not None else ""
    return f"{outcome['suggested']}{share}"


def show_identity(console: Console, sent: Dataset, seen: Dataset) -> None:
    """What the hospital sent beside what models and readers get (PS3.15 Annex E)."""
    table = Table("attribute", "the hospital sends", "models and readers see", box=box.SIMPLE_HEAD)
    for keyword in IDENTITY:
        after = seen.get(keyword)
        table.add_row(keyword, _short(sent.get(keyword)), "[dim]gone[/]" if after is None else _short(after))
    console.print(table)


def _short(value: Any) -> str:
    text = str(value or "(empty)")
    return escape(text if len(text) <= WIDE else f"{text[: WIDE - 1]}…")


def show_task(console: Console, case: Case, task: Mapping[str, Any], choice: str, pictures: Sequence[Path]) -> None:
    """What a reader is shown, and what they say."""
    why = ", ".join(task["payload"].get("why", ())).replace("_", " ")
    console.print(f"  {escape(case.shows)}: [bold]{task['priority']}[/], because {why}. A reader takes it, sees")
    for path in pictures:
        console.print(f"    {path}", highlight=False, soft_wrap=True)
    console.print(f"    and decides: [bold]{choice.replace('_', ' ')}[/]")


def show_report(console: Console, case: Case, results: Sequence[Dataset], files: Sequence[Path]) -> None:
    """What the hospital's program gets back, under the patient's own name."""
    report = next((each for each in results if each.Modality == "SR"), None)
    kinds = ", ".join(sorted(each.Modality for each in results))
    console.print(f"\n[bold]The answer for {escape(case.shows)}[/] (WADO-RS: {kinds}), re-identified for its sender")
    if report is not None:
        console.print(f"  {report.PatientName}, {report.PatientID}: {escape(str(report.SeriesDescription))}")
        for depth, name, value in lines(report):
            if name in TOLD:
                console.print(f"  {'  ' * min(depth, 3)}[dim]{escape(name)}[/] {escape(value)}", highlight=False)
    for path in files:
        console.print(f"  {path}", highlight=False, soft_wrap=True)
