"""/brands and /sources, and `cuatro brand` in front of them: what is watched, and how its places fare."""

import json
import re
import time
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest
from typer.testing import CliRunner

from cuatro.adapters.dynamodb import dynamo
from functions.sentiment.sources.source import Place
from functions.sentiment.sources.state import State, key_of
from local.cli import brand as command
from local.cli.main import app as cuatro
from local.feed.api import Answer
from tests.functional.sentiment.suite import Suite

BODY: dict[str, Any] = {"name": "Northwind Coffee", "terms": ["northwind coffee"], "networks": {"bluesky": {}, "x": {}}}


def put(suite: Suite, name: str = "northwind", **changes: Any) -> tuple[int, Any]:
    return suite.call("PUT", "/brands/{brand}", {**BODY, **changes}, brand=name)


def cursor(network: str, place: str, brand: str = "northwind", **fields: Any) -> None:
    """As a poller leaves it."""
    state = msgspec.structs.replace(
        State(network=network, brand=brand, name=place),  # type: ignore[arg-type]
        **fields,
    )
    key = key_of(network, brand, Place(place, ""))
    dynamo().put_all("cursors", [{"source": key, "n": 1, "p": msgspec.json.encode(state).decode()}])


def test_a_brand_is_made_changed_shown_and_removed(suite: Suite) -> None:
    status, made = put(suite)
    assert (status, made["brand"], made["handles"], made["enabled"]) == (201, "northwind", "mask", True)
    assert put(suite, terms=["northwind"])[0] == 200
    assert suite.call("GET", "/brands/{brand}", brand="northwind")[1]["terms"] == ["northwind"]
    put(suite, "alpha")
    assert [each["brand"] for each in suite.call("GET", "/brands")[1]["brands"]] == ["alpha", "northwind"]
    assert suite.call("DELETE", "/brands/{brand}", brand="alpha") == (200, {"brand": "alpha", "deleted": True})
    for method in ("GET", "DELETE"):
        status, answer = suite.call(method, "/brands/{brand}", brand="alpha")
        assert (status, answer["error"]["code"]) == (404, "not_found")
    assert suite.items("brands")["northwind"]["n"] == 2


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("North Wind", BODY, "brand"),
        ("a#b", BODY, "brand"),
        ("northwind", {**BODY, "brand": "other"}, "brand"),
        ("northwind", {**BODY, "terms": []}, "terms"),
        ("northwind", {**BODY, "networks": {"rss": {"feeds": ["http://user@feeds.example/"]}}}, "networks.rss.feeds"),
        ("northwind", b"{", None),
        ("northwind", [], None),
    ],
)
def test_what_cannot_be_watched_is_refused_with_its_field(
    suite: Suite, name: str, body: Any, field: str | None
) -> None:
    status, answer = suite.call("PUT", "/brands/{brand}", body, brand=name)
    assert (status, answer["error"]["field"]) == (400, field)
    assert suite.items("brands") == {}


def test_two_who_change_a_brand_at_once_both_succeed_and_the_last_one_counts(suite: Suite) -> None:
    put(suite)

    def other() -> None:
        with suite.wire.undisturbed():
            assert put(suite, terms=["theirs"])[0] == 200

    suite.wire.first("BatchExecuteStatement", other)
    assert put(suite, terms=["ours"])[0] == 200
    assert suite.call("GET", "/brands/{brand}", brand="northwind")[1]["terms"] == ["ours"]
    assert suite.items("brands")["northwind"]["n"] == 3


def test_sources_tell_every_place_also_those_that_no_poll_has_reached(suite: Suite) -> None:
    put(suite)
    put(suite, "resting", enabled=False)
    now = time.time()
    cursor("bluesky", "northwind coffee", status="limited", backoff_until=now + 60, last_error="wait", posts=7)
    cursor("bluesky", "a term of yesterday", status="ok")
    dynamo().put_all("cursors", [{"source": "budget#model#2026-11", "microusd": 5}])
    status, answer = suite.call("GET", "/sources")
    assert status == 200
    told = {each["network"]: each for each in answer["sources"]}
    assert set(told) == {"bluesky", "x"}
    assert (told["bluesky"]["status"], told["bluesky"]["posts"], told["bluesky"]["last_error"]) == (
        "limited",
        7,
        "wait",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", told["bluesky"]["backoff_until"])
    assert (told["x"]["status"], told["x"]["last_ok"], told["x"]["last_error"]) == ("new", None, None)
    assert "cursor" not in told["bluesky"]


def test_removing_a_brand_forgets_how_far_its_places_were_read_and_nothing_else(suite: Suite) -> None:
    put(suite)
    cursor("bluesky", "northwind coffee")
    cursor("bluesky", "northwind coffee", brand="other")
    dynamo().put_all("cursors", [{"source": "budget#northwind#2026-11", "microusd": 5}])
    suite.call("DELETE", "/brands/{brand}", brand="northwind")
    assert sorted(key.split("#")[:2] for key in suite.items("cursors")) == [
        ["bluesky", "other"],
        ["budget", "northwind"],
    ]


class _Api:
    """The API's function in this process, in place of signed requests over the network."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite

    def put(self, path: str, body: Any) -> Answer:
        return self._call("PUT", path, body)

    def get(self, path: str) -> Answer:
        return self._call("GET", path)

    def delete(self, path: str) -> Answer:
        return self._call("DELETE", path)

    def _call(self, method: str, path: str, body: Any = None) -> Answer:
        name = path.removeprefix("/brands").removeprefix("/")
        one = path.startswith("/brands/")
        status, answer = self._suite.call(
            method, "/brands/{brand}" if one else path, body, **({"brand": unquote(name)} if one else {})
        )
        return Answer(status, answer, 1.0)


@pytest.fixture
def run(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(command, "_api", lambda *_: _Api(suite))
    monkeypatch.setattr(command.out, "width", 200)
    return lambda *arguments: CliRunner().invoke(cuatro, ["brand", *arguments])


def test_cuatro_brand_add_says_all_of_a_brand(suite: Suite, run: Any) -> None:
    result = run(
        "add", "Northwind Coffee", "--terms", "northwind coffee, northwindcoffee", "--languages", "en,es",
        "--instances", "social.example", "--hashtags", "#nw", "--subreddits", "r/coffee,tea",
        "--feeds", "https://news.example/rss", "--networks", "x", "--exclude", "table", "--handles", "pseudonym",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    _, made = suite.call("GET", "/brands/{brand}", brand="northwind-coffee")
    assert made["terms"] == ["northwind coffee", "northwindcoffee"]
    assert made["networks"] == {
        "mastodon": {"instances": ["https://social.example"], "hashtags": ["nw"]},
        "reddit": {"subreddits": ["coffee", "tea"]},
        "x": {},
        "rss": {"feeds": ["https://news.example/rss"]},
    }
    assert (made["languages"], made["exclude"], made["handles"]) == (["en", "es"], ["table"], "pseudonym")
    shown = run("show", "northwind-coffee").output
    assert json.loads(shown[shown.index("{\n") :]) == made, "after a line of the function's metrics"


def test_cuatro_brand_without_options_watches_what_needs_no_credentials(suite: Suite, run: Any) -> None:
    assert run("add", "Southwind").exit_code == 0
    _, made = suite.call("GET", "/brands/{brand}", brand="southwind")
    assert (made["terms"], made["networks"]) == (["Southwind"], {"bluesky": {}})
    assert "southwind" in run("list").output
    assert "new" in run("sources").output
    assert run("remove", "southwind").exit_code == 0
    assert "No brand is watched" in run("list").output


def test_cuatro_brand_tells_what_is_wrong(suite: Suite, run: Any) -> None:
    for arguments, words in (
        (("add", "B", "--networks", "myspace"), "no network myspace"),
        (("add", "B", "--languages", "english"), "languages[0]"),
        (("show", "nobody"), "no such brand"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1
        assert words in result.output
