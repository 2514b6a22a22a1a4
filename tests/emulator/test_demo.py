"""`cuatro demo` and `cuatro send` against a deployed suite, as a person runs them."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd

from local.demo.alerts import QUEUE_PREFIX
from local.demo.recommendations.play import ROUNDS
from local.replay.rejected import rejections
from models.fraud.simulator import Simulation, simulate
from tests.emulator.suite import Suite, transaction
from tests.waiting import eventually

CUATRO = (sys.executable, "-m", "local.cli.main")
TIMEOUT_S = 420


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"COLUMNS": "80", "PYTHONUNBUFFERED": "1"}


def _cuatro(suite: Suite, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CUATRO, *arguments, "--state", str(suite.platform.state)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=_environment(),
        check=False,
    )


def _left_behind(suite: Suite) -> list[str]:
    queues = suite.client("sqs").list_queues(QueueNamePrefix=QUEUE_PREFIX).get("QueueUrls", [])
    topic = suite.outputs["AlertsTopicArn"]
    found = suite.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return queues + [each["Endpoint"] for each in found if QUEUE_PREFIX in each["Endpoint"]]


def test_the_demo_tells_what_became_of_everything_twice(suite: Suite) -> None:
    for what in ("all", "fraud"):
        done = _cuatro(suite, "demo", what, "--count", "800", "--live", "20", "--seed", "3")
        assert done.returncode == 0, done.stdout + done.stderr
        counts = [
            int(n.replace(",", "")) for n in re.findall(r"(?:approved|sent to review|declined) +([\d,]+)", done.stdout)
        ]
        assert sum(counts[:3]) == 800
        assert "have no decision" not in done.stdout
        for part in ("Quality", "ROC AUC", "event to decision p50", "POST /authorizations", "Try next"):
            assert part in done.stdout
        if what == "all":
            for part in (
                "For research use only",
                "for a person",
                "pneumonia",
                "The answer for",
                "The ledger is intact",
            ):
                assert part in done.stdout
        assert "\x1b" not in done.stdout
        assert _left_behind(suite) == []
        shares = [float(share) for share in re.findall(r"model \(\d+\) .* ([\d.]+)%", done.stdout)]
        if what == "all":  # lists get better with what is known, and say why
            assert len(shares) == ROUNDS + 1
            assert shares[-1] > 2 * shares[0]
            assert "because you" in done.stdout
        else:
            assert not shares


def test_anybodys_file_is_played_and_its_bad_lines_are_told(suite: Suite, tmp_path: Path) -> None:
    table = simulate(Simulation(days=20, customers=10, terminals=10, start="2018-04-01")).head(200)
    table = table.drop(columns=["TX_FRAUD", "TX_FRAUD_SCENARIO", "LABEL_TIME"])
    table.loc[17, "TX_AMOUNT"] = -5
    path = tmp_path / "a.csv"
    table.to_csv(path, index=False)
    done = _cuatro(suite, "demo", "--transactions", str(path), "--live", "5")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "moved by" in done.stdout
    assert "Rejected: 1 of 200" in done.stdout
    assert "line 19: amount" in done.stdout
    assert "Quality" not in done.stdout


def test_ctrl_c_leaves_nothing_behind(suite: Suite) -> None:
    command = [*CUATRO, "demo", "fraud", "--count", "2000", "--state", str(suite.platform.state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment()) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("history"):
                break
        assert _left_behind(suite) != []
        # A test run in the background may have inherited that Ctrl-C is ignored.
        ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
        demo.send_signal(signal.SIGTERM if ignored else signal.SIGINT)
        rest, _ = demo.communicate(timeout=TIMEOUT_S)
    assert demo.returncode == 130
    assert "The platform stays up" in rest
    assert _left_behind(suite) == []


def test_a_missing_file_says_what_to_do(suite: Suite) -> None:
    done = _cuatro(suite, "demo", "--transactions", "nowhere.csv")
    assert done.returncode == 1
    assert "No such file" in done.stderr
    assert "Next:" in done.stderr


def test_send_delivers_good_lines_and_lets_the_platform_keep_the_bad(suite: Suite) -> None:
    good, bad = transaction(), {**transaction(), "amount": "much"}
    done = _cuatro(suite, "send", "transactions", "-", stdin=f"{json.dumps(good)}\n{json.dumps(bad)}\n")
    assert done.returncode == 0, done.stderr
    assert "line 2: amount" in done.stderr
    assert "2 transactions sent" in done.stdout
    suite.decided([good])
    s3, bucket = suite.client("s3"), suite.outputs["RejectedBucket"]
    eventually(
        lambda: any(bad["card_id"].encode() in found.data for found in rejections(s3, bucket, "fraud")),
        "the bad line among the rejected records",
    )


def test_strict_sends_nothing_if_a_line_is_bad(suite: Suite) -> None:
    good = transaction()
    done = _cuatro(suite, "send", "transactions", "-", "--strict", stdin=f"{json.dumps(good)}\nnonsense\n")
    assert done.returncode == 1
    assert "Nothing was sent" in done.stderr
    assert "line 2: not JSON" in done.stderr


def test_labels_of_a_file_take_effect(suite: Suite, tmp_path: Path) -> None:
    fraud = transaction()
    suite.put(fraud)
    suite.decided([fraud])
    row = {"TRANSACTION_ID": fraud["transaction_id"], "TX_FRAUD": 1, "LABEL_TIME": pd.Timestamp.now()}
    path = tmp_path / "labels.parquet"
    others = [{**row, "TRANSACTION_ID": "unlabelled", "LABEL_TIME": pd.NaT}, {**row, "TRANSACTION_ID": "unheard-of"}]
    pd.DataFrame([row, *others]).to_parquet(path)
    done = _cuatro(suite, "send", "labels", str(path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 labels posted, 1 refused, 1 rows without" in " ".join(done.stdout.split())
    assert "line 3: its transaction was never decided here" in done.stderr
    key = {"transaction_id": {"S": fraud["transaction_id"]}}
    table = suite.outputs["DecisionsTable"]
    eventually(
        lambda: suite.client("dynamodb").get_item(TableName=table, Key=key)["Item"].get("label") == {"BOOL": True},
        "the label on the decision",
    )


def test_status_tells_where_to_send_things(suite: Suite) -> None:
    shown = _cuatro(suite, "status")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert suite.outputs["StreamName"] in shown.stdout
    assert re.search(r"API: http://127\.0\.0\.1:\d+/\S+/", shown.stdout)
    assert all(job in shown.stdout for job in ("act", "api", "learn", "score"))
