"""Services that throttle or are away: the backend is asked again or tells, the second opinion is done without."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cuatro.adapters.aws import ATTEMPTS
from cuatro.adapters.backends import backend
from cuatro.adapters.bedrock import BedrockOpinion
from cuatro.classification import Text, verdict
from cuatro.errors import Refused, Unavailable
from local.platform.process import ROOT, Platform
from tests.backend_contract import PLAIN
from tests.comprehend.conftest import QUOTA
from tests.emulator.conftest import Faults

MODEL = "amazon.nova-micro-v1:0"
TEXTS = [text for text, _ in PLAIN]
UNSURE = verdict([0.34, 0.33, 0.33], "onnx", "v", 0.5)
TABLE = {"macro recall", "USD per 1,000 posts", "not how AWS would answer"}


class Purse:
    """Money for everything."""

    def take(self, costs: Any, month: str) -> int:
        return len(costs)

    def give_back(self, amount: int, month: str) -> None:
        """Nobody counts."""


@pytest.mark.usefixtures("reached")
def test_a_throttled_comprehend_is_asked_again(faults: Faults) -> None:
    faults.inject("comprehend", operation="BatchDetectSentiment", code="ThrottlingException", times=ATTEMPTS - 1)
    assert [each.label for each in backend("comprehend").classify(TEXTS[:2])] == ["positive", "negative"]
    assert faults.failed() == ATTEMPTS - 1


@pytest.mark.usefixtures("reached")
@pytest.mark.parametrize(
    ("code", "status", "raised"),
    [("ThrottlingException", 400, Unavailable), ("InternalServerException", 500, Unavailable),
     ("TooManyRequestsException", 429, Unavailable), ("AccessDeniedException", 400, Refused)],
)  # fmt: skip
def test_a_comprehend_that_is_away_is_told(faults: Faults, code: str, status: int, raised: type[Exception]) -> None:
    faults.inject("comprehend", code=code, status=status)
    with pytest.raises(raised, match=code):
        backend("comprehend").classify([Text("a post", "en")])


@pytest.mark.usefixtures("reached")
def test_a_bedrock_that_is_away_leaves_the_first_verdicts(faults: Faults) -> None:
    faults.inject("bedrock", code="ServiceUnavailableException", status=503)
    found = BedrockOpinion(MODEL, Purse()).review(TEXTS, [UNSURE] * 3, "2026-11")
    assert (found.verdicts, found.unanswered, found.spent_usd) == ([UNSURE] * 3, 3, 0)
    assert "ServiceUnavailableException" in found.problem


def test_the_command_compares_services_of_the_platform(platform: Platform, tmp_path: Path) -> None:
    file, out = tmp_path / "posts.jsonl", tmp_path / "found.json"
    lines = [{"text": text.text, "label": label, "language": text.language} for text, label in PLAIN]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    names = f"onnx,comprehend,onnx+bedrock:{MODEL}"
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "cuatro", "compare", "sentiment", file, "--backends", names, "--out", out,
         "--state", platform.state],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COLUMNS": "160"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    text = " ".join(done.stdout.split())
    assert not {words for words in TABLE if words not in text}, done.stdout
    written = json.loads(out.read_text(encoding="utf-8"))
    assert written["services"] == "local platform"
    told = written["backends"]
    assert [each["name"] for each in told] == names.split(",")
    assert [each["quality"]["accuracy"] for each in told] == [1.0] * 3
    assert told[1]["cost"]["usd_per_1000"] == pytest.approx(0.3)


@pytest.mark.usefixtures("reached")
def test_a_quota_of_bedrock_that_is_used_up_throttles() -> None:
    opinion = BedrockOpinion("amazon.nova-pro-v1:0", Purse())  # each model has its own, and nobody else asks this one
    answered, problem = 0, ""
    for _ in range(QUOTA):
        found = opinion.review(TEXTS, [UNSURE] * 3, "2026-11")
        answered, problem = answered + found.asked, found.problem
        if problem:
            break
    assert answered >= 1
    assert "ThrottlingException" in problem
