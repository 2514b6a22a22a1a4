"""`cuatro poll`: what the pollers answered -> what people are told; what nobody polls is said before AWS is asked."""

import json
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from local.cli.main import app as cuatro
from local.cli.poll import FUNCTIONS

DONE = {"network": "x", "posts": 1_234, "pages": 13, "polled": 2, "waiting": 1, "limited": 0, "failed": {}}


class _Connection:
    """A deployed stack whose pollers answer so, by function."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Any]] = []

    def outputs(self, _stack: str) -> dict[str, str]:
        return {output: f"function-{network}" for network, output in FUNCTIONS.items()}

    def client(self, _service: str, **_: Any) -> Any:
        return SimpleNamespace(invoke=self._invoke)

    def _invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:
        network = FunctionName.removeprefix("function-")
        self.asked.append((network, json.loads(Payload)))
        return {"Payload": BytesIO(json.dumps(self.answers[network]).encode())}


def run(monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any], *arguments: str) -> tuple[_Connection, Any]:
    connection = _Connection(answers)
    monkeypatch.setattr("local.platform.client.connect", lambda *_: connection)
    return connection, CliRunner().invoke(cuatro, ["poll", *arguments])


def test_all_networks_are_asked_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, result = run(monkeypatch, dict.fromkeys(FUNCTIONS, DONE), "sentiment", "--brand", "northwind")
    assert result.exit_code == 0
    assert sorted(connection.asked) == sorted((network, {"brand": "northwind"}) for network in FUNCTIONS)
    assert "x: 1,234 new posts of 2 places, 1 places wait" in result.output


def test_what_failed_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"x": {**DONE, "failed": {"a [place]": "denied: wrong token"}}}
    _, result = run(monkeypatch, answers, "--network", "x")
    assert result.exit_code == 1
    assert "a [place]: denied: wrong token" in result.output
    _, result = run(monkeypatch, {"rss": {"errorMessage": "PutRecordBatch: away"}}, "--network", "rss")
    assert result.exit_code == 1
    assert "PutRecordBatch: away" in result.output


@pytest.mark.parametrize("arguments", [("fraud",), ("sentiment", "--network", "myspace")])
def test_what_nobody_polls(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    connection, result = run(monkeypatch, {}, *arguments)
    assert result.exit_code == 1
    assert connection.asked == []
    assert "Next:" in result.output
