"""Every panel of the dashboard asks what the domain answers, and the answers are the posts' own numbers."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import pytest

from functions.sentiment.search.template import NAME, PROPERTIES
from local.platform.client import Connection
from local.search.dashboards import ndjson, objects
from local.search.panels import PANELS, SAMPLES_COLUMNS
from local.search.queries import search_of
from local.search.setup import Domain
from tests.search.conftest import BEGIN, END, Posts

Document = dict[str, Any]
SAVED = {each["id"].removeprefix("cuatro-sentiment-"): each for each in objects()}


@pytest.fixture
def ask(here: Connection, endpoint: str, posts: Posts) -> Callable[[str], dict[str, Any]]:
    """The answer to a panel's search over all the time there is."""
    asked = Domain(here, endpoint)
    return lambda name: asked.call("POST", f"/{NAME}-*/_search", search_of(SAVED[name], BEGIN, END))  # type: ignore[no-any-return]


@pytest.fixture
def counted(posts: Posts) -> list[Document]:
    """The posts that count: no reposts."""
    return [each for each in posts.documents if not each["repost"]]


def counts(answer: dict[str, Any], *numbers: str) -> dict[tuple[str, ...], int]:
    """Keys of the buckets within each other -> posts."""

    def found(level: dict[str, Any], rest: tuple[str, ...], before: tuple[str, ...]) -> Iterable[Any]:
        for bucket in level[rest[0]]["buckets"]:
            key = (*before, str(bucket["key"]))
            yield from found(bucket, rest[1:], key) if rest[1:] else [(key, bucket["doc_count"])]

    return dict(found(answer["aggregations"], numbers, ()))


def of(posts: Iterable[Document], *fields: str) -> dict[tuple[str, ...], int]:
    return dict(Counter(tuple(str(each[field]) for field in fields) for each in posts))


@pytest.mark.parametrize("panel", [panel.id for panel in PANELS])
def test_the_domain_answers_every_panel(ask: Callable[[str], dict[str, Any]], panel: str) -> None:
    answer = ask(panel)
    assert answer["hits"]["total"]["value"] > 0
    assert answer["aggregations"]


def test_totals(ask: Callable[[str], dict[str, Any]], posts: Posts, counted: list[Document]) -> None:
    buckets = ask("totals")["aggregations"]["2"]["buckets"]
    assert {name: bucket["doc_count"] for name, bucket in buckets.items()} == {
        "all": len(counted),
        "negative": sum(each["label"] == "negative" for each in counted),
        "unsure": sum(each["unsure"] for each in counted),
        "reposts": len(posts.rows) - len(counted),
        "corrected": sum(each["corrected"] for each in posts.documents),
    }


def test_volume_by_class_over_time(ask: Callable[[str], dict[str, Any]], counted: list[Document]) -> None:
    answer = counts(ask("volume"), "2", "3")
    classes: Counter[str] = Counter()
    for (_, label), count in answer.items():
        classes[label] += count
    assert classes == Counter(each["label"] for each in counted)
    assert 20 < len({bar for bar, _ in answer}) <= 100


def test_sentiment_of_each_brand(ask: Callable[[str], dict[str, Any]], counted: list[Document]) -> None:
    sums: Counter[str] = Counter()
    for bar in ask("score")["aggregations"]["2"]["buckets"]:
        for brand in bar["3"]["buckets"]:
            sums[brand["key"]] += brand["1"]["value"] * brand["doc_count"]
    for brand in ("northwind-coffee", "tailspin-toys"):
        assert sums[brand] == pytest.approx(sum(each["score"] for each in counted if each["brand"] == brand), abs=1e-3)


def test_brands(ask: Callable[[str], dict[str, Any]], counted: list[Document]) -> None:
    for bucket in ask("brands")["aggregations"]["4"]["buckets"]:
        mine = [each for each in counted if each["brand"] == bucket["key"]]
        assert bucket["doc_count"] == len(mine)
        assert bucket["2"]["value"] == pytest.approx(sum(each["score"] for each in mine) / len(mine), abs=1e-4)
        assert bucket["3"]["value"] == 3


@pytest.mark.parametrize(
    ("panel", "numbers", "fields"),
    [("networks", ("2", "3"), ("network", "label")), ("languages", ("2",), ("language",))],
)
def test_shares(
    ask: Callable[[str], dict[str, Any]], counted: list[Document], panel: str, numbers: Any, fields: Any
) -> None:
    assert counts(ask(panel), *numbers) == of(counted, *fields)


def test_complaints(ask: Callable[[str], dict[str, Any]], counted: list[Document]) -> None:
    negative = [each for each in counted if each["label"] == "negative"]
    tags = Counter(chain.from_iterable(each["hashtags"] for each in negative))
    assert counts(ask("complaints"), "2") == {(tag,): count for tag, count in tags.items()}
    assert set(tags) == {"coldcoffee", "fail"}


def test_corrections(ask: Callable[[str], dict[str, Any]], posts: Posts) -> None:
    corrected = [each for each in posts.documents if each["corrected"]]
    assert counts(ask("corrections"), "2", "3", "4") == of(corrected, "model_label", "label", "language")


def test_samples_are_the_newest_posts_with_the_columns(ask: Callable[[str], dict[str, Any]], posts: Posts) -> None:
    hits = ask("samples")["hits"]["hits"]
    newest = sorted(posts.documents, key=lambda each: str(each["time"]), reverse=True)
    assert [hit["_source"]["time"] for hit in hits] == [each["time"] for each in newest]
    assert all(set(SAMPLES_COLUMNS) <= set(hit["_source"]) for hit in hits)


def test_the_file_holds_every_object_before_those_that_refer_to_it() -> None:
    lines = [json.loads(line) for line in ndjson(objects()).splitlines()]
    known: set[tuple[str, str]] = set()
    for each in lines:
        assert {(reference["type"], reference["id"]) for reference in each["references"]} <= known
        known.add((each["type"], each["id"]))
    dashboard = lines[-1]
    panels = json.loads(dashboard["attributes"]["panelsJSON"])
    assert {panel["panelRefName"] for panel in panels} == {each["name"] for each in dashboard["references"]}
    assert len(panels) == len(PANELS) + 1


def test_panels_do_not_lie_over_each_other_and_ask_for_fields_that_there_are() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(SAVED["dashboard"]["attributes"]["panelsJSON"]):
        grid = panel["gridData"]
        across, down = range(grid["x"], grid["x"] + grid["w"]), range(grid["y"], grid["y"] + grid["h"])
        cells = {(x, y) for x in across for y in down}
        assert not cells & taken
        assert grid["x"] + grid["w"] <= 48
        taken |= cells
    for panel in PANELS:
        for part in (*panel.metrics, *panel.buckets):
            assert not part.field or PROPERTIES[part.field]["type"] != "text"
