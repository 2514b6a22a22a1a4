"""The demo's order of things, against a platform in memory: chunks, decisions, labels when they are due, leftovers."""

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from local.demo.authorize import ask
from local.demo.decisions import Decision, Decisions
from local.demo.playback import Playback
from local.demo.quality import measure, percentile
from local.demo.screen import Screen, alert_lines, outcomes_table
from local.demo.story import FEEDBACK, from_file, simulated
from local.feed.api import Answer
from local.feed.transactions import Feed
from local.platform.errors import PlatformError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Platform:
    """Kinesis, the decisions table and the API in one: decides at once, unless told to stay silent about an id."""

    def __init__(self, silent: set[str] | None = None, *, learns: bool = True) -> None:
        self.learns = learns
        self.silent = silent or set()
        self.items: dict[str, dict[str, Any]] = {}
        self.log: list[tuple[str, Any]] = []

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:
        ids = []
        for record in Records:
            fields = json.loads(record["Data"])
            name = fields["transaction_id"]
            ids.append(name)
            assert record["PartitionKey"] == fields["card_id"]
            if name not in self.silent:
                outcome = (
                    "decline" if fields["amount"] > 20_000 else "review" if fields["amount"] > 10_000 else "approve"
                )
                self.items[name] = {
                    "transaction_id": {"S": name},
                    "outcome": {"S": outcome},
                    "score": {"N": str(min(1, fields["amount"] / 50_000))},
                    "reasons": {"L": [{"S": "the amount is unusual"}]},
                    "latency_ms": {"N": "12"},
                    "model_version": {"S": "m1"},
                }
        self.log.append(("sent", ids))
        return {"FailedRecordCount": 0, "Records": [{} for _ in Records]}

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> dict[str, Any]:
        ((table, request),) = RequestItems.items()
        assert len(request["Keys"]) <= 100
        names = [key["transaction_id"]["S"] for key in request["Keys"]]
        return {"Responses": {table: [self.items[name] for name in names if name in self.items]}}

    def post(self, path: str, body: Any) -> Answer:
        if path == "/labels":
            self.log.append(("labels", body["labels"]))
            for entry in body["labels"] if self.learns else ():
                self.items[entry["transaction_id"]]["label"] = {"BOOL": entry["fraud"]}
            return Answer(200, {}, 1.0)
        return Answer(200, {"outcome": "approve", "score": 0.01, "reasons": []}, 3.0)


def _playback(platform: Platform, patience_s: float = 5.0) -> Playback:
    return Playback(
        kinesis=platform,
        stream="s",
        decisions=Decisions(platform, "decisions"),
        api=platform,  # type: ignore[arg-type]
        tell=lambda progress: None,
        patience_s=patience_s,
    )


@pytest.fixture(scope="module")
def feeds() -> list[Feed]:
    return list(simulated(600, 5, "r1", NOW).feeds)


def test_a_simulated_story_ends_now_and_repeats(feeds: list[Feed]) -> None:
    assert len(feeds) == 600
    times = [item.time for item in feeds if item.time]
    assert times == sorted(times)
    assert timedelta(0) <= NOW - times[-1] < timedelta(days=1)
    assert all(item.transaction_id.startswith("r1-t") and item.key.startswith("r1-c") for item in feeds)
    assert [item.payload for item in simulated(600, 5, "r1", NOW).feeds] == [item.payload for item in feeds]
    known = [item for item in feeds if item.known_at]
    assert 0 < len(known) < 60
    assert all(item.known_at and item.time and item.known_at > item.time for item in known)


def test_everything_is_sent_once_and_decided(feeds: list[Feed]) -> None:
    platform = Platform()
    progress = _playback(platform).play(feeds, live=10, rate=1000)
    sent = [name for kind, names in platform.log if kind == "sent" for name in names]
    assert sent == [item.transaction_id for item in feeds]
    assert list(progress.decisions) == sent
    assert progress.live_ids == set(sent[-10:])
    assert not progress.undecided


def test_labels_are_posted_when_due_never_before(feeds: list[Feed]) -> None:
    platform = Platform()
    progress = _playback(platform).play(feeds, live=10, rate=1000)
    by_id = {item.transaction_id: item for item in feeds}
    newest, posted = NOW - timedelta(days=400), set()
    for kind, entries in platform.log:
        if kind == "sent":
            newest = max(by_id[name].time or newest for name in entries)
            continue
        for entry in entries:
            assert by_id[entry["transaction_id"]].known_at <= newest
            posted.add(entry["transaction_id"])
    last = feeds[-1].time
    assert posted == {item.transaction_id for item in feeds if item.known_at and last and item.known_at <= last}
    assert progress.labels == len(posted) > 0


def test_what_stays_undecided_is_told(feeds: list[Feed]) -> None:
    silent = feeds[100].transaction_id
    progress = _playback(Platform({silent}), patience_s=0.01).play(feeds, live=0, rate=1)
    assert progress.undecided == [silent]
    assert len(progress.decisions) == 599


def test_labels_that_nobody_learns_are_told(feeds: list[Feed], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.demo.playback.LEARNING_S", 0.01)
    progress = _playback(Platform(learns=False)).play(feeds, live=0, rate=1)
    assert progress.unlearned == progress.labels > 0


def test_a_platform_that_decides_nothing_is_an_error(feeds: list[Feed]) -> None:
    with pytest.raises(PlatformError, match="have no decision") as caught:
        _playback(Platform({item.transaction_id for item in feeds}), patience_s=0.01).play(feeds, live=0, rate=1)
    assert "cuatro logs" in caught.value.advice


def test_quality_by_hand() -> None:
    def item(name: str, amount: int, *, fraud: bool) -> Feed:
        fields = {"transaction_id": name, "amount": amount, "time": "2026-11-22T10:00:00Z"}
        return Feed(1, b"", fields, fraud=fraud)

    def decision(name: str, outcome: str, score: float) -> Decision:
        return Decision(name, outcome, score, (), 1.0, "m")

    feeds = [
        item("a", 300, fraud=True),
        item("b", 100, fraud=True),
        item("c", 50, fraud=False),
        item("d", 5, fraud=False),
    ]
    made = {
        "a": decision("a", "decline", 0.9),
        "b": decision("b", "approve", 0.2),
        "c": decision("c", "review", 0.5),
        "d": decision("d", "approve", 0.1),
    }
    found = measure(feeds, made, NOW - timedelta(days=9))
    assert (found.decided, found.frauds, found.stopped, found.caught) == (4, 2, 2, 1)
    assert (found.precision, found.recall, found.money_recall) == (0.5, 0.5, 0.75)
    assert found.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert found.roc_auc == 0.75
    assert measure(feeds, made, NOW).decided == 0
    assert measure(feeds, made, NOW).precision is None


def test_percentile() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(range(100), 0.99) == 99
    assert percentile([7], 0.99) == 7


def test_a_file_is_moved_to_now_and_its_frauds_become_known_a_week_later(tmp_path: Any) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD\n"
        "1,2018-07-04 10:00:00,7,3,12.5,0\n2,2018-07-04 11:00:00,7,3,99,1\n3,2018-07-04 12:00:00,7,3,1,0\n"
    )
    story = from_file(str(path), 2, "r1", NOW)
    genuine, fraud = story.feeds
    assert story.labelled
    assert "moved by 437 weeks" in story.origin
    assert genuine.transaction_id == "r1-1"
    assert genuine.known_at is None
    assert fraud.time is not None
    assert fraud.known_at == fraud.time + FEEDBACK


def test_a_files_bad_lines_are_not_waited_for(tmp_path: Any) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT\n"
        "1,2018-07-04 10:00:00,7,3,12.5\n2,2018-07-04 11:00:00,7,3,-1\n"
    )
    story = from_file(str(path), 0, "r1", NOW)
    assert [item.problem is None for item in story.feeds] == [True, False]
    progress = _playback(Platform({"r1-2"})).play(story.feeds, live=0, rate=1)
    assert progress.sent == 2
    assert list(progress.decisions) == ["r1-1"]
    assert not progress.undecided


def test_two_authorizations_of_the_busiest_card(feeds: list[Feed]) -> None:
    (_, ordinary, _), (_, absurd, _) = ask(Platform(), feeds, "r1")  # type: ignore[arg-type]
    assert ordinary["card_id"] == absurd["card_id"]
    assert absurd["amount"] == 40 * ordinary["amount"]
    assert absurd["terminal_id"] not in {(item.fields or {})["terminal_id"] for item in feeds}


@pytest.mark.parametrize("width", [80, 160])
def test_a_log_is_readable(feeds: list[Feed], width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=False)
    platform = Platform()
    with Screen(console, feeds) as screen:
        playback = _playback(platform)
        playback.tell = screen
        progress = playback.play(feeds, live=5, rate=1000)
    console.print(outcomes_table(feeds, progress.decisions))
    for part in alert_lines(feeds, progress.decisions, 4):
        console.print(part)
    text = out.getvalue()
    assert "600/600" in text
    assert "declined" in text
    assert "the amount is unusual" in text
    assert "r1-" not in text
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= width
