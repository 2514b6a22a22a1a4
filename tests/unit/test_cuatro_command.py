"""The `cuatro` command without a platform: it says what to do next, and deploys again only what changed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from local.cli.main import app as cuatro
from local.platform.deployment import digest


@pytest.mark.parametrize("command", ["status", "logs"])
def test_commands_say_what_to_do_next(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    result = CliRunner().invoke(cuatro, [command, "--target", "local", "--state", str(tmp_path)])
    assert result.exit_code == 1
    assert "Next: Run `cuatro up`" in result.output


def test_the_deployments_digest_follows_what_is_deployed(tmp_path: Path) -> None:
    for name in ("cdk/stack.py", "functions/fraud/handler.py", "models/fraud/model.onnx", "models/fraud/train.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    before = digest(tmp_path)
    (tmp_path / "models/fraud/train.py").write_text("2")
    (tmp_path / "functions/fraud/handler.pyc").write_text("2")
    assert digest(tmp_path) == before
    assert digest(tmp_path, ["ranking=personalize"]) != before
    (tmp_path / "models/fraud/model.onnx").write_text("2")
    assert digest(tmp_path) != before


@pytest.mark.parametrize("option", ["ranking", "ranking=", "=personalize"])
def test_an_option_of_the_app_that_is_none_is_told_before_anything_starts(option: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(cuatro, ["up", "-c", option, "--state", str(tmp_path / "state")])
    assert result.exit_code == 1
    assert "must look like ranking=personalize" in result.output
    assert not (tmp_path / "state").exists()
