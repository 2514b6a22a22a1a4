"""Connection + a hospital's studies -> the imaging demo: sent, de-identified, read, reviewed, answered, audited.

The hospital's side speaks DICOMweb by TLS with a token, as a hospital's program does; the reader uses the review API.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dicomweb_client.api import DICOMwebClient
from rich.console import Console

from local.demo.imaging.cases import Case
from local.demo.imaging.results import fetched, kept, program
from local.demo.imaging.screen import show_cases, show_identity, show_report, show_task
from local.feed import senders
from local.feed.reviews import Reviews, saved
from local.feed.studies import SenderApi
from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.studies.rows import one

STACK, SENDER, READER = "CuatroImaging", "demo", "reader-1"
ENDS = {"read", "rejected", "failed", "expired"}
PATIENCE_S = 240
ADVICE = "`cuatro studies` shows how far it came, `cuatro logs imaging` what the functions say."


@dataclass(frozen=True)
class Stage:
    """Where the demo plays. folder: where results are kept for people to open."""

    console: Console
    connection: Connection
    outputs: dict[str, str]
    sender: SenderApi
    client: DICOMwebClient
    reviews: Reviews
    folder: Path


def play(console: Console, connection: Connection, cases: Sequence[Case], state: Path, run: str) -> None:
    """The whole demo. Research use only: it says so, and so does every result."""
    began = time.monotonic()
    outputs = connection.outputs(STACK)
    url, authority = connection.secure_api_url(outputs["ApiUrl"])
    token = senders.token_of(connection, SENDER, state)
    sender, client = SenderApi(url, authority, SENDER, token), program(url, authority, SENDER, token)
    reviews = Reviews(connection, READER)
    stage = Stage(console, connection, outputs, sender, client, reviews, state / "demo" / run)
    console.print("[bold]For research use only, not for clinical use.[/] All patients are synthetic")
    _send(stage, cases)
    read = _read(stage, cases)
    _identity(stage, cases[0])
    for case in _review(stage, cases, read):
        _answer(stage, case)
    _audited(stage)
    console.print(
        f"\nThat took {time.monotonic() - began:.0f} s. `cuatro studies` lists them; what is left in the queue"
    )
    console.print("waits for you: `cuatro review list`, `cuatro review lease TASK`")


def _send(stage: Stage, cases: Sequence[Case]) -> None:
    stage.console.print(f"A hospital sends {len(cases)} studies: DICOMweb STOW-RS by TLS, with a token")
    for case in cases:
        sent = stage.sender.store([(case.shows, case.content)])
        for _, why in sent.refused:
            stage.console.print(f"  [yellow]refused[/] {case.shows}: {why}")
    again = stage.sender.store([(cases[0].shows, cases[0].content)])
    stage.console.print(f"  {len(cases)} images taken; one sent twice is taken once ({len(again.refused)} refused)")


def _read(stage: Stage, cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """Each study's row once the machine is through with it, or waits for a person."""

    def all_there() -> dict[str, dict[str, Any]] | None:
        told = [stage.sender.status(case.study) or {} for case in cases]
        done = sum(each.get("state") in ENDS | {"review"} for each in told)
        status.update(f"{done} of {len(cases)} studies are read or wait for a person")
        return {case.study: one(stage.connection, case.study) for case in cases} if done == len(cases) else None

    with stage.console.status("Validating, de-identifying, reading") as status:
        rows = waited(all_there, "every study to be read")
    show_cases(stage.console, cases, rows, _readings(stage, cases, rows))
    return rows


def _readings(stage: Stage, cases: Sequence[Case], rows: dict[str, dict[str, Any]]) -> dict[str, tuple[str, list[str]]]:
    """Of those that wait for a person: what the model says, and why somebody should look."""
    waiting, found = _tasks(stage), dict[str, tuple[str, list[str]]]()
    for case in cases:
        if task := waiting.get(rows[case.study]["study"]):
            payload = stage.reviews.show(task)["payload"]
            (reading,) = payload["readings"]
            probability = f" {reading['probability']:.2f}" if "probability" in reading else ""
            found[case.study] = (f"{reading['finding']}{probability}", payload["why"])
    return found


def _tasks(stage: Stage) -> dict[str, str]:
    """Waiting tasks by the study's pseudonym."""
    return {each["subject"]: each["task"] for each in stage.reviews.tasks()}


def _identity(stage: Stage, case: Case) -> None:
    """What left the hospital beside what models and readers see."""
    from pydicom import dcmread  # noqa: PLC0415 - after the first lines are on the screen
    from pydicom.filebase import DicomBytesIO  # noqa: PLC0415

    row = one(stage.connection, case.study)
    key = f"studies/{row['study']}/{row['instance_ids'][0]}/image.dcm"
    body = stage.connection.client("s3").get_object(Bucket=stage.outputs["DeidentifiedBucket"], Key=key)["Body"].read()
    show_identity(stage.console, case.dataset, dcmread(DicomBytesIO(body)))


def _review(stage: Stage, cases: Sequence[Case], rows: dict[str, dict[str, Any]]) -> list[Case]:
    """A person reads the first two that wait; the cases whose results are there then."""
    console, waiting = stage.console, _tasks(stage)
    mine = [case for case in cases if rows[case.study]["study"] in waiting]
    console.print(f"\n[bold]{len(mine)} of {len(cases)} studies wait for a person[/] (cuatro review list)")
    for case in mine[:2]:
        task = waiting[rows[case.study]["study"]]
        stage.reviews.lease(task)
        shown = stage.reviews.show(task)
        choice = shown["suggested"] or "not_readable"
        show_task(console, case, shown, choice, saved(shown, stage.folder / "review"))
        stage.reviews.decide(task, choice)
    alone = [case for case in cases if rows[case.study]["state"] == "read"]
    return [*mine[:1], *alone[:1]]


def _answer(stage: Stage, case: Case) -> None:
    """The report as the hospital's program gets it, with the patient's own identity."""
    waited(lambda: (one(stage.connection, case.study)["state"] == "read") or None, "the report")
    found = waited(lambda: fetched(stage.client, case.study) or None, "the results")
    show_report(stage.console, case, found, kept(found, stage.folder))


def _audited(stage: Stage) -> None:
    from local.audit.ledger import verified  # noqa: PLC0415 - only here

    checked = waited(lambda: verified(stage.connection) or None, "the audit log")
    stage.console.print(f"\n[bold]Audit[/] (cuatro audit verify): {checked}")


def waited(seen: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """The first answer that is not None. Raises PlatformError after patience."""
    deadline = time.monotonic() + patience_s
    while (found := seen()) is None:
        if time.monotonic() > deadline:
            raise PlatformError(f"Waited {patience_s:.0f} s in vain for {what}.", ADVICE)
        time.sleep(0.5)
    return found
