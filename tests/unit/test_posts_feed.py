"""Files of posts in the shapes that people have become posts as the API takes them; what it refuses is told by line."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from cuatro.posts import MAX_POSTS_BYTES, decode_incoming
from local.cli import posts as commands
from local.cli import send
from local.feed.api import Answer
from local.feed.posts import Feed, batches, feed, judged, one, post
from local.feed.rows import rows

GOOD = {
    "version": 1, "id": "p-1", "network": "mastodon", "brand": "northwind-coffee", "text": "Best espresso 😀",
    "time": "2026-11-23T10:00:00.000Z", "likes": 3,
}  # fmt: skip


def feeds(path: Path, **defaults: str) -> list[Feed]:
    return [judged(feed(row, defaults)) for row in rows(str(path))]


def documents(path: Path, **defaults: str) -> list[dict[str, Any]]:
    found = feeds(path, **defaults)
    assert [item.problem for item in found] == [None] * len(found)
    return [json.loads(item.payload) for item in found]


class Api:
    """Answers as POST /posts does: no post may say "bad", a request with the word "poison" is refused as a whole."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []

    def post(self, path: str, body: Any) -> Answer:
        assert path == "/posts"
        self.bodies.append(body["posts"])
        for each in body["posts"]:
            decode_incoming(json.dumps(each).encode())
        if any("poison" in each["text"] for each in body["posts"]):
            return Answer(413, {"error": {"code": "oversized", "field": None, "message": "too much"}}, 1.0)
        error = {"code": "invalid_value", "field": "text", "message": "must not be bad"}
        refused = [
            {"index": place, "error": error} for place, each in enumerate(body["posts"]) if "bad" in each["text"]
        ]
        taken = len(body["posts"]) - len(refused)
        return Answer(202, {"accepted": taken, "matched": 2 * taken, "rejected": refused}, 1.0)


def test_the_schemas_own_shape_goes_out_as_it_is_in_every_format(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(GOOD))
    pd.DataFrame([GOOD]).drop(columns="version").to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame([GOOD]).drop(columns="version").to_parquet(tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.csv", "a.parquet"):
        assert documents(tmp_path / name) == [GOOD], name


def test_exports_columns_are_known_by_their_usual_names(tmp_path: Path) -> None:
    table = {"tweet_id": 17, "created_at": "2026-11-23T11:00:00+01:00", "full_text": "¡Qué café!", "lang": "es",
             "screen_name": "someone", "retweet_count": 4, "sentiment": "whatever"}  # fmt: skip
    pd.DataFrame([table]).to_csv(tmp_path / "a.csv", index=False)
    (found,) = documents(tmp_path / "a.csv", network="x", brand="")
    assert found == {
        "version": 1, "network": "x", "id": "17", "time": "2026-11-23T10:00:00.000Z", "text": "¡Qué café!",
        "language": "es", "author": "someone", "reposts": 4,
    }  # fmt: skip


def test_rows_without_an_id_get_the_same_one_each_time_and_others_another(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nhello\nhello you\n")
    first, second = (item["id"] for item in documents(tmp_path / "a.csv"))
    assert first != second
    assert [item["id"] for item in documents(tmp_path / "a.csv")] == [first, second]


@pytest.mark.parametrize(
    ("line", "why"),
    [("[1]", "not an object"), ("{", "not JSON"), ('{"version":1,"id":"1"}', "text"), ('{"text":5}', "text"),
     (json.dumps(GOOD | {"brand": "No Slug"}), "brand"), (json.dumps(GOOD | {"time": "yesterday"}), "time"),
     (json.dumps(GOOD | {"url": "javascript:alert(1)"}), "url")],
)  # fmt: skip
def test_what_is_wrong_is_told(tmp_path: Path, line: str, why: str) -> None:
    (tmp_path / "a.jsonl").write_text(line)
    (item,) = feeds(tmp_path / "a.jsonl")
    assert item.problem is not None
    assert why in item.problem


def test_the_apis_refusals_come_with_their_lines() -> None:
    texts = ["good", "bad", "good too"]
    items = [Feed(number + 10, b"", GOOD | {"text": text}) for number, text in enumerate(texts)]
    taken = post(Api(), [Feed(9, b"x", None, "not JSON"), *items])  # type: ignore[arg-type]
    assert (taken.accepted, taken.matched) == (2, 4)
    assert taken.refused == [(9, "not JSON"), (11, "text must not be bad")]


def test_a_request_that_is_refused_as_a_whole_is_halved_until_the_cause_stands_alone() -> None:
    api = Api()
    items = [Feed(number, b"", GOOD | {"text": "poison" if number == 5 else "good"}) for number in range(1, 8)]
    taken = post(api, items)  # type: ignore[arg-type]
    assert (taken.accepted, taken.refused) == (6, [(5, "too much")])
    assert sum(len(body) for body in api.bodies if not any("poison" in each["text"] for each in body)) == 6


def test_requests_hold_at_most_500_posts_and_four_mib() -> None:
    assert [len(each) for each in batches(Feed(n, b"{}", {}) for n in range(1100))] == [500, 500, 100]
    large = [Feed(number, b"x" * 1_500_000, {}) for number in range(5)]
    found = list(batches(large))
    assert [len(each) for each in found] == [2, 2, 1]
    assert all(sum(len(item.payload) for item in each) <= MAX_POSTS_BYTES for each in found)


def test_one_post_is_what_the_api_takes() -> None:
    time = datetime(2026, 11, 23, 10, tzinfo=UTC)
    made = one("Great", "c-1", time, brand="", network="web", language="en")
    assert made == {
        "version": 1, "id": "c-1", "text": "Great", "time": "2026-11-23T10:00:00.000Z", "network": "web",
        "language": "en",
    }  # fmt: skip
    assert decode_incoming(json.dumps(made).encode()).text == "Great"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    found = Api()
    monkeypatch.setattr(commands, "_api", lambda target, state: found)
    return found


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(send.app, list(arguments), env={"COLUMNS": "160", "NO_COLOR": "1"})
    return result.exit_code, result.output


def test_the_commands_send_and_tell(tmp_path: Path, api: Api) -> None:
    lines = [json.dumps(GOOD), "nonsense", json.dumps(GOOD | {"id": "p-2", "text": "bad"})]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    code, output = run("posts", str(tmp_path / "a.jsonl"))
    assert code == 1
    assert "line 2: not JSON" in output
    assert "line 3: text must not be bad" in output
    assert "1 posts sent, with 2 mentions of brands; 2 bad." in output
    code, output = run("post", "Great coffee", "--brand", "northwind-coffee", "--id", "7")
    assert (code, "northwind-coffee#web#7" in output) == (0, True)
    assert api.bodies[-1][0]["text"] == "Great coffee"


def test_a_dry_run_checks_every_line_and_sends_nothing(tmp_path: Path, api: Api) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(GOOD) + "\n" + json.dumps(GOOD | {"likes": -1}))
    code, output = run("posts", str(tmp_path / "a.jsonl"), "--dry-run")
    assert (code, api.bodies) == (1, [])
    assert "line 2: likes" in output
    assert "1 posts checked; 1 bad." in output


def test_old_posts_are_moved_by_whole_weeks(tmp_path: Path, api: Api) -> None:
    old = [GOOD | {"time": f"2019-03-0{day}T10:00:00.000Z", "id": f"p-{day}"} for day in (1, 2)]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(each) for each in old))
    assert run("posts", str(tmp_path / "a.jsonl"), "--to-now")[0] == 0
    first, last = (datetime.fromisoformat(each["time"]) for each in api.bodies[0])
    assert (last - first).days == 1
    assert 0 <= (datetime.now(UTC) - last).days < 7


def test_a_label_goes_to_its_post_whatever_is_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Any]] = []

    class Labels:
        def post(self, path: str, body: Any) -> Answer:
            asked.append((path, body))
            return Answer(200, {}, 1.0)

    monkeypatch.setattr(commands, "_api", lambda target, state: Labels())
    app = typer.Typer()
    app.command()(commands.label)
    result = CliRunner().invoke(app, ["acme#bluesky#at://did/x", "negative", "--by", "an analyst"])
    assert result.exit_code == 0
    path, body = "/posts/acme%23bluesky%23at%3A%252F%252Fdid%252Fx/label", {"label": "negative", "by": "an analyst"}
    assert asked == [(path, body)]
    assert CliRunner().invoke(app, ["acme#web#1", "angry"]).exit_code == 2
    assert len(asked) == 1
