"""Posts -> the search domain: found by class, words and time, once each, the newest word on each standing."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from functions.sentiment.search import indexing
from functions.sentiment.search.documents import document, hashtags, index_of
from functions.sentiment.search.template import NAME, PATTERN, PROPERTIES
from local.platform.client import Connection
from local.search.setup import Domain
from tests.search.conftest import Posts, domain, rows, scored

pytestmark = pytest.mark.usefixtures("reached")


def found(here: Connection, endpoint: str, query: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    asked = Domain(here, endpoint)
    asked.call("POST", "/_refresh")
    answer = asked.call("POST", f"/{PATTERN}/_search", {"query": query, "size": 1000} | more)
    return [hit["_source"] | {"_id": hit["_id"]} for hit in answer["hits"]["hits"]]


def test_all_posts_are_there_as_documents_of_the_template(here: Connection, endpoint: str, posts: Posts) -> None:
    everything = found(here, endpoint, {"match_all": {}})
    assert sorted(each["_id"] for each in everything) == sorted(key for key, _ in posts.rows)
    expected = {each["post"]: each for each in posts.documents}
    assert all(expected[each.pop("_id")] == each for each in everything)
    assert all(set(each) == set(PROPERTIES) for each in everything)


def test_each_month_has_an_index_with_the_templates_mapping(here: Connection, endpoint: str, posts: Posts) -> None:
    asked = Domain(here, endpoint)
    mappings = asked.call("GET", f"/{PATTERN}/_mapping")
    assert set(mappings) == {index_of(each) for _, each in posts.rows} == {f"{NAME}-2026.10", f"{NAME}-2026.11"}
    for mapping in mappings.values():
        assert set(mapping["mappings"]["properties"]) == set(PROPERTIES)
        assert mapping["mappings"]["properties"]["time"]["type"] == "date"
    assert asked.call("POST", f"/{NAME}/_count")["count"] == len(posts.rows)  # the alias


def test_words_are_found_without_accents_and_case_and_months_by_time(
    here: Connection, endpoint: str, posts: Posts
) -> None:
    words = found(here, endpoint, {"match": {"text": "CAFE rico"}})
    assert {each["_id"] for each in words} == {each["post"] for each in posts.documents if "café" in each["text"]}
    begin = datetime(2026, 11, 20, tzinfo=UTC)
    late = found(here, endpoint, {"range": {"time": {"gte": begin.isoformat()}}})
    assert {each["_id"] for each in late} == {key for key, each in posts.rows if each.time >= begin}
    assert late


def test_a_post_that_comes_again_replaces_itself(here: Connection, reached: None) -> None:
    endpoint = domain(here, "again")
    first = scored(1, human_label=None, label="negative")
    corrected = msgspec.structs.replace(first, human_label="positive")
    for batch in (rows(first), rows(first, scored(2)), rows(corrected), rows(corrected)):
        assert indexing.index(endpoint, batch) == set()
    one = found(here, endpoint, {"term": {"post": rows(first)[0][0]}})
    assert [(each["label"], each["model_label"], each["corrected"], each["score"]) for each in one] == [
        ("positive", "negative", True, 1.0)
    ]
    assert len(found(here, endpoint, {"match_all": {}})) == 2


def test_what_the_mapping_refuses_is_told_and_holds_nothing_up(
    here: Connection, endpoint: str, posts: Posts, caplog: pytest.LogCaptureFixture
) -> None:
    Domain(here, endpoint).call("PUT", "/_index_template/odd", {
        "index_patterns": [f"{NAME}-1999.*"], "priority": 200,
        "template": {"mappings": {"properties": {"text": {"type": "long"}}}},
    })  # fmt: skip
    odd = scored(9001, time=datetime(1999, 1, 1, tzinfo=UTC), dt="1999-01-01")
    good = posts.rows[0]
    assert indexing.index(endpoint, [*rows(odd), good]) == set()
    assert found(here, endpoint, {"term": {"post": good[0]}})
    assert not found(here, endpoint, {"term": {"post": rows(odd)[0][0]}})


def test_a_domain_that_is_away_takes_nothing_for_now() -> None:
    assert indexing.index("http://127.0.0.1:9", rows(scored(1), scored(2))) == {0, 1}
    assert indexing.index("http://127.0.0.1:9", []) == set()


def test_a_persons_word_is_the_label_and_an_unsure_post_is_sure_then() -> None:
    made = document("k", scored(3, label="neutral", human_label=None, unsure=True))
    assert (made["label"], made["score"], made["unsure"], made["corrected"]) == ("neutral", 0.0, True, False)
    made = document("k", scored(3, label="positive", human_label="positive", unsure=True))
    assert (made["score"], made["unsure"], made["corrected"]) == (1.0, False, False)
    assert document("k", scored(3, label="negative", human_label=None))["score"] == -0.55


@pytest.mark.parametrize(
    ("text", "tags"),
    [("#Café and #café, #FAIL!", ["café", "fail"]), ("order #123 of a#b", []), ("#" * 50, []),
     ("#咖啡 #2026goals", ["咖啡", "2026goals"]), ("https://a.example/#top", [])],
)  # fmt: skip
def test_hashtags(text: str, tags: list[str]) -> None:
    assert hashtags(text) == tags
