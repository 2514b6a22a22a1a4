"""`cuatro sender` and `cuatro studies` as a person types them, against the senders' secret and the tables."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from functions.imaging.senders import senders, whose
from local.cli import senders as sender_commands
from local.cli import study as study_commands
from local.cli.main import app
from local.feed import senders as kept
from local.platform.errors import PlatformError
from tests.functional.imaging.dicomweb import STUDY, STUDY_UID, read
from tests.functional.imaging.images import file, image
from tests.functional.imaging.suite import Suite
from tests.functional.stage import client

OUTPUTS = {
    "SendersSecret": "senders",
    "StudiesTable": "studies",
    "InstancesTable": "instances",
    "PseudonymSecret": "pseudonyms",
}


KEEP = kept.keep


class Connection:
    """To AWS in memory."""

    target = "local"

    def client(self, service: str) -> Any:
        return client(service)

    def outputs(self, _stack: str) -> dict[str, str]:
        return OUTPUTS


@pytest.fixture(autouse=True)
def connection(suite: Suite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Connection:
    made = Connection()
    monkeypatch.setattr("local.feed.senders.keep", partial(_keep, tmp_path))
    monkeypatch.setattr("local.platform.client.connect", lambda *_: made)
    for module in (kept, sender_commands, study_commands):
        if hasattr(module, "STACKS"):
            monkeypatch.setitem(module.STACKS, "imaging", "CuatroImaging")
    monkeypatch.delenv(kept.TOKEN, raising=False)
    return made


def _keep(tmp_path: Path, _state: Path, name: str, token: str) -> None:
    """In the test's directory, whatever the command's default is."""
    KEEP(tmp_path, name, token)


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    return result.exit_code, result.output


def entries() -> dict[str, Any]:
    return dict(json.loads(client("secretsmanager").get_secret_value(SecretId="senders")["SecretString"]))


def test_a_sender_gets_a_token_once_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    state = str(tmp_path)
    words = ("--destination", "https://pacs.test/dicom-web", "--header", "Authorization: Bearer x", "--issuer", "EAST")
    code, output = run("sender", "add", "east", *words, "--state", state)
    assert code == 0, output
    token = output.strip().splitlines()[-1]
    assert whose(f"Bearer {token}", senders(entries())) == "east"
    assert token not in json.dumps(entries())
    found = senders(entries())["east"]
    assert found.destination is not None
    assert (found.destination.url, found.issuer) == ("https://pacs.test/dicom-web", "EAST")
    assert {"north", "south"} <= set(entries())

    again = run("sender", "add", "east", "--state", state)[1].strip().splitlines()[-1]
    assert whose(f"Bearer {token}", senders(entries())) is None
    assert whose(f"Bearer {again}", senders(entries())) == "east"
    assert senders(entries())["east"].issuer == "EAST"

    listed = run("sender", "list")[1]
    assert "https://pacs.test/dicom-web" in listed
    assert "Bearer" not in listed
    assert run("sender", "remove", "east")[0] == 0
    assert "east" not in entries()
    assert run("sender", "remove", "east")[0] == 1


@pytest.mark.parametrize("name", ["North", "-x", "a b", "../x", "x" * 64])
def test_a_name_that_is_no_slug_is_refused(name: str) -> None:
    assert run("sender", "add", "--", name)[0] != 0
    assert set(entries()) == {"north", "south"}


def test_a_fresh_secret_holds_a_word_and_no_senders(suite: Suite) -> None:
    client("secretsmanager").put_secret_value(SecretId="senders", SecretString="a-generated-word")
    assert "Nobody may send yet" in run("sender", "list")[1]
    assert run("sender", "add", "first")[0] == 0
    assert set(entries()) == {"first"}


def test_a_token_is_found_where_it_was_kept(connection: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = kept.token_of(connection, "demo", tmp_path)
    assert whose(f"Bearer {token}", senders(entries())) == "demo"
    assert kept.token_of(connection, "demo", tmp_path) == token
    assert (tmp_path / "senders.json").stat().st_mode & 0o077 == 0
    monkeypatch.setattr(connection, "target", "aws", raising=False)
    with pytest.raises(PlatformError, match="not known here"):
        kept.token_of(connection, "demo", tmp_path)
    monkeypatch.setenv(kept.TOKEN, "given")
    assert kept.token_of(connection, "demo", tmp_path) == "given"


def test_studies_are_shown_by_pseudonym_and_nobody_is_named(suite: Suite) -> None:
    assert "No study has come yet" in run("studies")[1]
    suite.stow(file(image(1)))
    suite.drop("drop/north/changed", file(image(1, PixelData=bytes(16))))
    suite.receive()
    read(suite, study=2)
    code, output = run("studies")
    assert code == 0, output
    assert STUDY in output
    assert "pneumonia, by review" in output
    told = json.loads(run("studies", STUDY_UID)[1])
    assert told == json.loads(run("studies", STUDY)[1])
    assert (told["state"], told["instances"], told["modalities"]) == ("arriving", 1, ["DX"])
    assert sum(told["instance_states"].values()) == 2
    assert list(told["refused"].values()) == [1]
    for mark in ("Phantom", "PHANTOM", STUDY_UID):
        assert mark not in output
        assert mark not in json.dumps(told)
    assert run("studies", "1.2.3")[0] == 1
