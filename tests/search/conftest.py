"""A bare platform with a search domain of its own, and some weeks of posts of two brands in it."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from cuatro.adapters import search as adapter
from cuatro.posts import LABELS, Scored, day, post_key
from functions.sentiment.search import indexing
from functions.sentiment.search.documents import document
from local.platform.account import ACCESS_KEY, REGION, SECRET_KEY
from local.platform.client import Connection, connect
from local.platform.process import Platform
from local.search.setup import Domain
from tests.bare import bare, with_log

PLATFORM = pytest.StashKey[Platform]()
END = datetime(2026, 11, 23, 12, tzinfo=UTC)
BEGIN = END - timedelta(days=40)
TEXTS = {
    "negative": "The espresso was cold again #coldcoffee #fail",
    "neutral": "The shop opens at nine",
    "positive": "¡Qué café más rico! #Café",
}


class Posts(NamedTuple):
    """What is in the domain: key and post of each."""

    rows: list[tuple[str, Scored]]

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [document(key, scored) for key, scored in self.rows]


def scored(number: int, **fields: Any) -> Scored:
    """A post, the same one for the same number."""
    chance = random.Random(number)
    label = fields.pop("label", None) or chance.choice(LABELS)
    chances = [0.7 if each == label else 0.15 for each in LABELS]
    time = fields.pop("time", None) or BEGIN + (END - BEGIN) * chance.random()
    given: dict[str, Any] = {
        "network": chance.choice(["mastodon", "bluesky", "reddit"]), "id": str(number),
        "brand": chance.choice(["northwind-coffee", "northwind-coffee", "tailspin-toys"]), "text": TEXTS[label],
        "time": time, "collected_at": time, "likes": number % 7, "language": chance.choice(["en", "es", "und"]),
        "label": label, "probabilities": tuple(chances), "unsure": chance.random() < 0.1, "backend": "onnx",
        "model_version": "1", "classified_at": time, "fingerprint": f"f{number}", "repost": chance.random() < 0.2,
        "human_label": "positive" if chance.random() < 0.1 else None, "dt": day(time),
    }  # fmt: skip
    return Scored(**(given | fields))


def rows(*posts: Scored) -> list[tuple[str, Scored]]:
    return [(post_key(each.brand, each.network, each.id), each) for each in posts]


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Connection]:
    """A platform without any deployment."""
    with bare(tmp_path_factory.mktemp("search")) as started:
        pytestconfig.stash[PLATFORM] = started
        yield connect("local", started.state)


@contextmanager
def as_function() -> Iterator[None]:
    """The adapter signs as a function does, by its environment."""
    caches = (adapter.search, adapter._session, adapter._region, indexing.prepare)
    given = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_REGION": REGION}
    with pytest.MonkeyPatch.context() as environment:
        for name, value in given.items():
            environment.setenv(name, value)
        for cached in caches:
            cached.cache_clear()
        yield
    for cached in caches:
        cached.cache_clear()


@pytest.fixture
def reached() -> Iterator[None]:
    with as_function():
        yield


@pytest.fixture(scope="session")
def endpoint(here: Connection) -> str:
    """Of a domain as the stack makes it."""
    return domain(here, "posts")


def domain(here: Connection, name: str) -> str:
    status = here.client("opensearch").create_domain(DomainName=name, EngineVersion="OpenSearch_2.19")["DomainStatus"]
    return f"http://{status['Endpoint']}"


@pytest.fixture(scope="session")
def posts(endpoint: str, here: Connection) -> Posts:
    """400 posts, indexed as the pipeline does it."""
    found = Posts(rows(*(scored(number) for number in range(400))))
    with as_function():
        assert indexing.index(endpoint, found.rows) == set()
    Domain(here, endpoint).call("POST", "/_refresh")
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """A failed test shows the end of the platform's log."""
    return with_log((yield), item.config.stash.get(PLATFORM, None))
