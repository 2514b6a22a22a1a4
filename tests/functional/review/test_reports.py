"""What came of the reviews: agreement of readers, labels for retraining page by page; and `cuatro review` for all."""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from typer.testing import CliRunner, Result

from functions.review.asking import task_id
from local.cli.review import app
from local.feed.api import Answer
from local.platform.errors import PlatformError
from tests.functional.review.suite import ATTACHMENT, Suite
from tests.functional.stage import client

TASK = task_id("imaging", "study-1")


def decide(suite: Suite, number: int, *choices: str, **fields: Any) -> str:
    """A study whose readers say so, in turn: ada, bo, cy."""
    suite.ask(f"token-{number}", once=f"study-{number}", subject=f"subject-{number}", reads=2, **fields)
    task = task_id("imaging", f"study-{number}")
    for who, choice in zip(("ada", "bo", "cy"), choices, strict=False):
        reasons = () if choice == "pneumonia" else ("artefact",)
        assert suite.read(who, task, choice, *reasons)[0] == 200
    return task


@pytest.fixture
def reviewed(suite: Suite) -> Suite:
    """Six studies: five on which two readers agree, one that a third adjudicated; and one of another kind."""
    for number, choice in enumerate(["pneumonia", "pneumonia", "normal", "normal", "normal"]):
        decide(suite, number, choice, choice, attachments=[ATTACHMENT])
    decide(suite, 5, "pneumonia", "normal", "normal", attachments=[ATTACHMENT])
    decide(suite, 6, "pneumonia", "pneumonia", kind="hand-radiograph")
    return suite


def test_the_agreement_of_a_kind(reviewed: Suite) -> None:
    query = {"queue": ["imaging"], "kind": ["chest-radiograph"]}
    status, told = reviewed.call("ada", "GET", "/agreement", query=query)
    assert status == 200
    assert (told["tasks"], told["disagreements"], told["complete"]) == (6, 1, True)
    (pair,) = told["pairs"]
    assert (pair["readers"], pair["tasks"], pair["kappa"]) == (["ada", "bo"], 6, pytest.approx(2 / 3, abs=0.001))
    _, all_kinds = reviewed.call("ada", "GET", "/agreement", query={"queue": ["imaging"]})
    assert all_kinds["tasks"] == 7
    assert reviewed.audited()[-1] == ("search", "reviewer:ada", "imaging")


def test_the_agreement_of_nothing(suite: Suite) -> None:
    status, told = suite.call("ada", "GET", "/agreement", query={"queue": ["imaging"]})
    assert (status, told["tasks"], told["model"]["kappa"]) == (200, 0, None)


def test_labels_come_page_by_page(reviewed: Suite) -> None:
    found, query = [], {"queue": ["imaging"], "limit": ["3"]}
    while True:
        status, page = reviewed.call("ada", "GET", "/labels", query=query)
        assert status == 200
        found += page["labels"]
        if not page["next"]:
            break
        query["next"] = [page["next"]]
    assert len({each["task"] for each in found}) == len(found) == 7
    labels = {each["subject"]: (each["label"], each["agreed"], each["adjudicated"]) for each in found}
    assert labels["subject-0"] == ("pneumonia", True, False)
    assert labels["subject-5"] == ("normal", False, True)
    assert {each["suggested"] for each in found} == {"pneumonia"}
    assert "ada" not in json.dumps(found)
    assert ("export", "reviewer:ada", "imaging") in reviewed.audited()


class Desk:
    """The API of the command line, answered in this process."""

    suite: Suite

    def __init__(self, _connection: Any, _url: str, headers: dict[str, str] | None) -> None:
        self._who = (headers or {}).get("X-Cuatro-Reviewer", "ada")

    def get(self, path: str) -> Answer:
        return self._call("GET", path)

    def post(self, path: str, body: Any) -> Answer:
        return self._call("POST", path, body)

    def _call(self, method: str, path: str, body: Any = None) -> Answer:
        parts = urlsplit(path)
        given = re.fullmatch(r"/tasks/(?P<task>[^/]+)(?P<rest>/.*)?", parts.path)
        resource = f"/tasks/{{task}}{given['rest'] or ''}" if given else parts.path
        query = {name: [value] for name, value in parse_qsl(parts.query)} or None
        path_of = {"task": given["task"]} if given else {}
        return Answer(*self.suite.call(self._who, method, resource, body, query=query, **path_of), 0.0)


@pytest.fixture
def command(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    Desk.suite = suite
    connection = SimpleNamespace(outputs=lambda _stack: {"ReviewApiUrl": "url"}, client=client)
    monkeypatch.setattr("local.feed.reviews.Api", Desk)
    monkeypatch.setattr("local.platform.client.connect", lambda *_: connection)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run


def test_a_review_on_the_command_line(suite: Suite, command: Any) -> None:
    assert "Nothing waits" in command("list").output
    suite.ask(payload={"probability": 0.93}, reads=2)
    assert TASK[:8] in command("list").output
    taken = command("lease", TASK[:8], "--as", "ada")
    assert (taken.exit_code, "Yours" in taken.output, "0.93" in taken.output) == (0, True, True)
    assert "may take it" not in command("list", "--as", "bo").output
    assert "Given back" in command("release", TASK[:8]).output
    command("lease", TASK)
    said = command("decide", TASK, "normal", "--reason", "artefact", "--note", "a marker")
    assert (said.exit_code, "Another reader is asked" in said.output) == (0, True)
    assert "a marker" in command("show", TASK).output
    assert "a marker" not in command("show", TASK, "--as", "bo").output
    command("lease", TASK, "--as", "bo")
    assert "The readers differ" in command("decide", TASK, "pneumonia", "--as", "bo").output
    command("lease", TASK, "--as", "cy")
    assert "It is decided" in command("decide", TASK, "pneumonia", "--as", "cy").output
    assert "Outcome: pneumonia" in command("show", TASK).output
    assert "done" in command("list", "--in", "done").output


def test_what_the_queue_refuses_is_told_with_what_to_do(suite: Suite, command: Any) -> None:
    suite.ask()
    suite.lease("bo", TASK)
    refused = command("lease", TASK)
    assert isinstance(refused.exception, PlatformError)
    assert "another reviewer has this task" in str(refused.exception)
    assert isinstance(command("show", "nothing").exception, PlatformError)


def test_the_agreement_on_the_command_line(reviewed: Suite, command: Any) -> None:
    told = command("agreement", "--kind", "chest-radiograph")
    assert told.exit_code == 0
    assert "6 decided" in told.output
    assert "ada and bo (Cohen)" in told.output
    written = command("agreement", "--json").output  # behind what the function logs, which runs in this process
    assert json.loads(written[written.rindex("\n{\n") :])["tasks"] == 7


def test_labels_as_a_file_and_as_pictures_to_train_with(reviewed: Suite, command: Any, tmp_path: Path) -> None:
    reviewed.s3.put_object(Bucket="lake", Key=ATTACHMENT["key"], Body=b"png")
    assert command("export", str(tmp_path / "labels.jsonl")).exit_code == 0
    lines = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert len(lines) == 7
    made = command("export", str(tmp_path / "labels.zip"), "--images", "--kind", "chest-radiograph")
    assert made.exit_code == 0
    with zipfile.ZipFile(tmp_path / "labels.zip") as archive:
        assert sorted(name.split("/")[0] for name in archive.namelist()) == ["NORMAL"] * 4 + ["PNEUMONIA"] * 2
        assert archive.read(archive.namelist()[0]) == b"png"


def test_a_picture_that_was_erased_is_left_out(reviewed: Suite, command: Any, tmp_path: Path) -> None:
    made = command("export", str(tmp_path / "labels.zip"), "--images")
    assert (made.exit_code, "Pictures: 0" in made.output) == (0, True)
