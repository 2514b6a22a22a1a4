"""From recorded interactions to popular shelves and the bus: each counts once, whatever fails and is repeated."""

import random
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from cuatro.errors import Unavailable
from functions.recommendations import shelves
from tests.functional.recommendations.suite import Suite, ago, interaction

RECENT = {"time": ago(0)}


def counts(suite: Suite, key: str = shelves.ALL) -> dict[str, float]:
    """Rounded, since a count fades by the seconds of the test."""
    shelf = suite.items("shelves").get(key)
    return {each.item: round(each.least, 2) for each in shelves.popular(shelf["p"] if shelf else None)}


def recorded(suite: Suite) -> list[str]:
    return sorted(event["event_id"] for event in suite.events("InteractionRecorded"))


@pytest.fixture
def seen(suite: Suite) -> Suite:
    """Three users saw a film, one of them a book, in two countries."""
    suite.fill(
        {"item_id": "film", "title": "A film", "category": "films", "available": True},
        {"item_id": "book", "title": "A book", "category": "books", "available": True},
    )
    suite.record(
        interaction(1, user_id="u-1", item_id="film", context={"country": "IT", "device": "phone"}, **RECENT),
        interaction(2, user_id="u-2", item_id="film", context={"country": "FR", "colour": "red"}, **RECENT),
        interaction(3, user_id="u-3", item_id="film", context={"country": "IT"}, **RECENT),
        interaction(4, user_id="u-3", item_id="book", kind="purchase", **RECENT),
    )
    return suite


def test_what_is_seen_is_popular_everywhere_in_its_category_and_in_its_context(seen: Suite) -> None:
    assert seen.observe() == {"batchItemFailures": []}
    assert counts(seen) == {"film": 3.0, "book": 1.0}
    assert counts(seen, "popular#category=films") == {"film": 3.0}
    assert counts(seen, "popular#category=books") == {"book": 1.0}
    assert counts(seen, "popular#country=IT") == {"film": 2.0}
    assert counts(seen, "popular#country=FR") == {"film": 1.0}
    assert counts(seen, "popular#device=phone") == {"film": 1.0}
    assert "popular#colour=red" not in seen.items("shelves")  # no context of the policy


def test_the_bus_gets_what_was_recorded(seen: Suite) -> None:
    seen.observe()
    assert recorded(seen) == ["e-1", "e-2", "e-3", "e-4"]
    (bought,) = [each for each in seen.events("InteractionRecorded") if each["kind"] == "purchase"]
    assert (bought["user_id"], bought["item_id"], bought["version"]) == ("u-3", "book", 1)


def test_a_shelf_expires_when_nobody_writes_it(seen: Suite) -> None:
    seen.observe()
    assert seen.items("shelves")[shelves.ALL]["x"] == pytest.approx(time.time() + 10 * 7 * 86_400, abs=60)


def test_a_batch_is_one_read_and_one_write_of_all_its_shelves(seen: Suite) -> None:
    seen.wire.calls.clear()
    seen.observe()
    assert seen.wire.calls == {"BatchGetItem": 2, "BatchExecuteStatement": 1, "PutEvents": 1}


def test_a_repeated_delivery_counts_once(seen: Suite) -> None:
    seen.observe()
    before = seen.items("shelves")
    seen._delivered["profiles"] = 0
    assert seen.observe() == {"batchItemFailures": []}
    assert seen.items("shelves") == before


def test_later_interactions_are_added(seen: Suite) -> None:
    seen.observe()
    seen.record(interaction(5, user_id="u-1", item_id="book", **RECENT))
    seen.observe()
    assert counts(seen) == {"film": 3.0, "book": 2.0}
    assert recorded(seen) == ["e-1", "e-2", "e-3", "e-4", "e-5"]


def test_what_is_disliked_is_told_but_not_popular(suite: Suite) -> None:
    suite.record(
        interaction(1, item_id="film", kind="rating", value=1.0, **RECENT),
        interaction(2, item_id="book", kind="rating", value=4.5, **RECENT),
    )
    suite.observe()
    assert counts(suite) == {"book": 1.0}
    assert recorded(suite) == ["e-1", "e-2"]


def test_an_item_that_the_catalogue_lacks_counts_without_a_category(suite: Suite) -> None:
    suite.record(interaction(1, item_id="unheard-of", **RECENT))
    assert suite.observe() == {"batchItemFailures": []}
    assert counts(suite) == {"unheard-of": 1.0}
    assert list(suite.items("shelves")) == [shelves.ALL]


def test_names_of_any_script_count(suite: Suite) -> None:
    suite.fill({"item_id": "映画", "title": "映画", "category": "映画 & 'quotes'", "available": True})
    suite.record(interaction(1, user_id="ユーザー", item_id="映画", context={"country": "日本"}, **RECENT))
    suite.observe()
    assert counts(suite, "popular#category=映画 & 'quotes'") == {"映画": 1.0}
    assert counts(suite, "popular#country=日本") == {"映画": 1.0}


def test_a_throttled_shelf_delays_only_its_own(seen: Suite) -> None:
    seen.wire.throttle("popular#country=FR", 100)
    assert len(seen.observe()["batchItemFailures"]) == 1
    assert recorded(seen) == ["e-1", "e-3", "e-4"]
    seen.wire.repair()
    assert seen.observe() == {"batchItemFailures": []}
    assert counts(seen) == {"film": 3.0, "book": 1.0}
    assert counts(seen, "popular#country=FR") == {"film": 1.0}
    assert set(recorded(seen)) == {"e-1", "e-2", "e-3", "e-4"}


def test_when_nothing_can_be_done_the_batch_fails(seen: Suite) -> None:
    seen.wire.throttle(shelves.ALL, 100)
    with pytest.raises(Unavailable, match="popular#all"):
        seen.observe()
    seen.wire.repair()
    seen.wire.down("BatchGetItem")
    with pytest.raises(Unavailable):
        seen.observe()
    seen.wire.repair()
    assert seen.observe() == {"batchItemFailures": []}
    assert counts(seen) == {"film": 3.0, "book": 1.0}
    assert recorded(seen) == ["e-1", "e-2", "e-3", "e-4"]


def test_a_write_whose_answer_is_lost_counts_once(seen: Suite) -> None:
    seen.wire.lose_answer("BatchExecuteStatement")
    assert seen.observe() == {"batchItemFailures": []}
    assert counts(seen) == {"film": 3.0, "book": 1.0}
    assert counts(seen, "popular#country=IT") == {"film": 2.0}


def test_a_writer_who_is_first_is_not_overwritten(seen: Suite) -> None:
    def other() -> None:
        with seen.wire.undisturbed():
            seen.stand(shelves.ALL, ("film", 10.0), ("song", 1.0))

    seen.wire.first("BatchExecuteStatement", other)
    assert seen.observe() == {"batchItemFailures": []}
    assert counts(seen) == {"film": 13.0, "book": 1.0, "song": 1.0}
    assert seen.items("shelves")[shelves.ALL]["n"] == 2


def test_while_the_bus_is_down_shelves_count_once(seen: Suite) -> None:
    seen.wire.down("PutEvents")
    with pytest.raises(Unavailable, match="bus"):
        seen.observe()
    seen.wire.repair()
    assert seen.observe() == {"batchItemFailures": []}
    assert counts(seen) == {"film": 3.0, "book": 1.0}
    assert recorded(seen) == ["e-1", "e-2", "e-3", "e-4"]


def test_items_that_stay_throttled_delay_only_their_own(seen: Suite) -> None:
    def book_unread(answer: Any) -> Any:
        if "items" not in answer["Responses"]:
            return answer
        answer["Responses"]["items"] = [each for each in answer["Responses"]["items"] if each["item_id"]["S"] != "book"]
        return {**answer, "UnprocessedKeys": {"items": {"Keys": [{"item_id": {"S": "book"}}]}}}

    seen.wire.edit("BatchGetItem", book_unread, times=4)
    assert len(seen.observe()["batchItemFailures"]) == 1
    assert counts(seen) == {"film": 2.0}
    assert seen.observe() == {"batchItemFailures": []}
    assert counts(seen) == {"film": 3.0, "book": 1.0}


def test_a_damaged_shelf_is_begun_anew_and_told(seen: Suite, caplog: pytest.LogCaptureFixture) -> None:
    dynamo().put_all("shelves", [{"shelf": shelves.ALL, "n": 7, "p": b"\xc1", "m": b"\xc1"}])
    assert seen.observe() == {"batchItemFailures": []}
    assert counts(seen) == {"film": 3.0, "book": 1.0}
    assert [vars(each)["shelves"] for each in caplog.records if each.levelname == "ERROR"] == [[shelves.ALL]]


def test_a_damaged_outbox_stops_nobody_else(seen: Suite) -> None:
    item = seen.items("profiles")["u-2"]
    dynamo().put_all("profiles", [{**item, "d": b"{", "n": 2}])
    assert len(seen.observe()["batchItemFailures"]) == 1
    assert counts(seen) == {"film": 3.0, "book": 1.0}


def test_a_user_who_is_forgotten_and_comes_back_counts_again(suite: Suite) -> None:
    suite.record(interaction(1, item_id="film", **RECENT))
    suite.observe()
    dynamo().delete("profiles", {"user_id": "u-1"})
    suite.record(interaction(2, item_id="book", **RECENT))
    assert suite.observe() == {"batchItemFailures": []}
    assert suite.items("profiles")["u-1"]["n"] == 1
    assert counts(suite) == {"film": 1.0, "book": 1.0}


def test_the_tracker_gets_the_events_too_where_there_is_one(seen: Suite, environment: pytest.MonkeyPatch) -> None:
    from cuatro.adapters import personalize  # noqa: PLC0415

    told: list[tuple[str, list[str]]] = []

    def put_events(dataset_group: str, events: Any) -> set[int]:
        told.append((dataset_group, [each.event_id for each in events]))
        return {0} if len(told) == 1 else set()

    environment.setattr(personalize, "put_events", put_events)
    environment.setenv("PERSONALIZE_DATASET_GROUP", "arn:shop")
    settings.cache_clear()
    assert len(seen.observe()["batchItemFailures"]) == 1
    assert seen.observe() == {"batchItemFailures": []}
    assert told == [("arn:shop", ["e-1", "e-2", "e-3", "e-4"])] * 2
    assert counts(seen) == {"film": 3.0, "book": 1.0}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_fails_in_between_all_count_once_in_the_end(suite: Suite, seed: int) -> None:
    chance = random.Random(seed)
    suite.fill(*({"item_id": f"i-{n}", "title": "t", "category": f"c-{n % 3}", "available": True} for n in range(5)))
    truth: Counter[str] = Counter()
    for number in range(60):
        item, user = f"i-{chance.randrange(5)}", f"u-{chance.randrange(9)}"
        context = {"country": chance.choice(["IT", "FR"])}
        suite.record(interaction(number, user_id=user, item_id=item, context=context, **RECENT))
        truth[item] += 1
        if number % 6 == 0:
            fault = chance.choice(["lose", "throttle", "bus", "none"])
            if fault == "lose":
                suite.wire.lose_answer("BatchExecuteStatement")
            elif fault == "throttle":
                suite.wire.throttle(chance.choice([shelves.ALL, "popular#country=IT", "popular#category=c-1"]), 4)
            elif fault == "bus":
                suite.wire.down("PutEvents", times=4)
            with suppress(Unavailable):
                suite.observe()
            suite.wire.repair()
    assert suite.observe() == {"batchItemFailures": []}
    assert counts(suite) == dict(truth)
    assert set(recorded(suite)) == {f"e-{number}" for number in range(60)}
    by_category = Counter(f"c-{int(item[2:]) % 3}" for item in truth.elements())
    assert {key: sum(counts(suite, f"popular#category={key}").values()) for key in by_category} == by_category
