"""Interactions from the stream: into profiles, once, whoever sends what, in whatever order."""

import json
import unicodedata
from typing import Any

import pytest

from functions.recommendations import outbox
from functions.recommendations.profile import CAPACITY
from tests.functional.recommendations.deliveries import ALL_DONE, Metrics, again, deliver, settled
from tests.functional.recommendations.suite import Suite, interaction
from tests.functional.stage import SHARD


def test_an_interaction_makes_a_profile_and_an_event(suite: Suite, metrics: Metrics) -> None:
    body = interaction(1, kind="cart", value=2, context={"country": "IT"}, list_id="l-1", correlation_id="visit:7")
    assert suite.record(body) == ALL_DONE
    row = suite.items("profiles")["u-1"]
    profile = suite.profile()
    assert (profile.n, row["n"], profile.counters, profile.context) == (1, 1, {"cart": 1}, {"country": "IT"})
    assert [(each.item, each.kind, each.value) for each in profile.entries] == [("i-1", "cart", 2.0)]
    assert row["x"] == profile.last_ms // 1000 + 400 * 86_400, "it expires 400 days after the user's last interaction"
    suite.observe()
    (event,) = suite.events("InteractionRecorded")
    assert (event["event_id"], event["list_id"], event["correlation_id"]) == ("e-1", "l-1", "visit:7")
    assert (event["kind"], event["value"], event["context"]) == ("cart", 2.0, {"country": "IT"})
    assert event["recorded_at"] >= event["time"]
    counted = metrics()
    assert counted["InteractionsRecorded"] == 1
    assert 0 <= counted["EventToProfile"] < 60_000


def test_the_outbox_holds_what_this_write_added_only(suite: Suite) -> None:
    suite.record(interaction(1), interaction(2))
    suite.record(interaction(2), interaction(3))
    row = suite.items("profiles")["u-1"]
    assert row["n"] == 2
    assert [each.event_id for each in outbox.decode(row["d"])] == ["e-3"]
    settled(suite, u_1=[1, 2, 3])


def test_duplicates_in_a_batch_and_across_batches_count_once(suite: Suite, metrics: Metrics) -> None:
    suite.record(interaction(1), interaction(1), interaction(2))
    suite.record(interaction(2), interaction(1), interaction(3))
    settled(suite, u_1=[1, 2, 3])
    counted = metrics()
    assert (counted["InteractionsRecorded"], counted["Duplicates"]) == (3, 3)


def test_a_batch_that_comes_again_writes_nothing(suite: Suite) -> None:
    records = suite.records_of(*[interaction(n, user_id=f"u-{n % 7}", item_id=f"i-{n}") for n in range(100)])
    assert deliver(records) == ALL_DONE
    suite.wire.calls.clear()
    assert deliver(records) == ALL_DONE
    assert suite.wire.calls == {"BatchGetItem": 1}


def test_reordered_deliveries_end_in_the_same_profile(suite: Suite) -> None:
    in_order = [interaction(n, item_id=f"i-{n % 3}", context={"page": f"p-{n}"}) for n in range(1, 7)]
    suite.record(*in_order[3:])
    suite.record(*reversed(in_order[:3]))
    suite.record(*[{**each, "user_id": "u-2"} for each in in_order])
    late, straight = suite.profile("u-1"), suite.profile("u-2")
    assert (late.entries, late.counters, late.context) == (straight.entries, straight.counters, straight.context)
    assert (late.first_ms, late.last_ms) == (straight.first_ms, straight.last_ms)
    assert straight.context == {"page": "p-6"}
    settled(suite, u_1=[1, 2, 3, 4, 5, 6], u_2=[1, 2, 3, 4, 5, 6])


def test_many_users_are_read_at_once_and_written_25_a_call(suite: Suite) -> None:
    assert suite.record(*[interaction(n, user_id=f"u-{n}") for n in range(100)]) == ALL_DONE
    assert suite.wire.calls == {"BatchGetItem": 1, "BatchExecuteStatement": 4}
    assert len(suite.items("profiles")) == 100


def test_a_history_of_thousands_stays_bounded_and_each_counts_once(suite: Suite) -> None:
    bodies = [interaction(n % 1000 if n < 1000 else n, item_id=f"i-{n % 700}") for n in range(3000)]
    for each in bodies[1000:]:
        each["time"] = bodies[999]["time"]
    batches = [suite.records_of(*bodies[start : start + 500]) for start in range(0, 3000, 500)]
    for batch in batches:
        assert deliver(batch) == ALL_DONE
        assert deliver(batch) == ALL_DONE, "all of it is known when it comes again at once"
    profile = suite.profile()
    assert profile.counters == {"view": 3000}
    assert len(profile.entries) == CAPACITY
    assert len(suite.items("profiles")["u-1"]["p"]) < 10_000


def test_a_batch_of_the_longest_records_of_one_user_takes_several_writes(suite: Suite, metrics: Metrics) -> None:
    """400 KB are the most that an item of the table may have."""
    name = "😀" * 124
    context = {f"{n}" * 32: "😀" * 64 for n in range(8)}
    bodies = [
        interaction(n, user_id=name, item_id=f"{n:04}{name}", kind="purchase", context=context) for n in range(200)
    ]
    records = suite.records_of(*bodies)
    assert sum(len(record["kinesis"]["data"]) for record in records) > 1_000_000
    assert deliver(records) == ALL_DONE
    row = suite.items("profiles")[name]
    assert row["n"] > 5
    assert len(row["p"]) + len(row["d"]) + 1_000 < 400_000
    assert suite.profile(name).counters == {"purchase": 200}
    assert deliver(records) == ALL_DONE
    counted = metrics()
    assert (counted["InteractionsRecorded"], counted["Duplicates"]) == (200, 200)


def test_names_of_any_script_and_spelling(suite: Suite) -> None:
    names = ["Amélie", "千と千尋", "Война и мир", "🎬", "עברית"]
    suite.record(*[interaction(n, user_id=name, item_id=name) for n, name in enumerate(names)])
    apart = unicodedata.normalize("NFD", "Amélie")
    assert apart != "Amélie"
    suite.record(interaction(9, user_id=apart, item_id=apart))
    assert set(suite.items("profiles")) == set(names)
    assert [each.item for each in suite.profile("Amélie").entries] == ["Amélie"]
    assert suite.profile("Amélie").counters == {"view": 2}


# Bad records

BAD: dict[str, tuple[Any, str | None, str]] = {
    "malformed": (b'{"version":1,', None, "malformed_json"),
    "garbage": (bytes(range(256)), None, "malformed_json"),
    "empty": (b"", None, "malformed_json"),
    "nested": (b'{"x":' + b"[" * 10_000, None, "malformed_json"),
    "oversized": (json.dumps(interaction(1, note="x" * 20_000)).encode(), None, "oversized"),
    "version": (interaction(1, version=2), "version", "unknown_version"),
    "kind": (interaction(1, kind="gaze"), "kind", "invalid_value"),
    "rating": (interaction(1, kind="rating", value=6), "value", "out_of_range"),
    "no rating": (interaction(1, kind="rating"), "value", "missing_field"),
    "future": (interaction(1, time="2999-01-01T00:00:00Z"), "time", "time_in_future"),
    "past": (interaction(1, time="1999-01-01T00:00:00Z"), "time", "time_too_old"),
    "surrogate": (b'{"version":1,"event_id":"e","user_id":"\\ud800"}', None, "malformed_json"),
    "context": (interaction(1, context={f"k{n}": "v" for n in range(9)}), "context", "invalid_value"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_record_is_kept_with_its_reason(suite: Suite, kind: str) -> None:
    body, field, code = BAD[kind]
    records = suite.records_of(body)
    assert deliver(records) == ALL_DONE
    (line,) = suite.rejected()
    assert (line["field"], line["code"]) == (field, code)
    assert line["data"] == records[0]["kinesis"]["data"]
    assert suite.items("profiles") == {}


@pytest.mark.parametrize("name", ["", "..", "a/b", "a%2Fb", "a\x00", "x" * 129, "u\u202e1", " a"])
@pytest.mark.parametrize("field", ["user_id", "item_id"])
def test_a_hostile_name_reaches_no_profile(suite: Suite, field: str, name: str) -> None:
    assert suite.record(interaction(1, **{field: name})) == ALL_DONE
    assert len(suite.rejected()) == 1
    assert suite.items("profiles") == {}


@pytest.mark.parametrize("place", [0, 50, 100])
def test_a_poison_record_among_100_good_ones(suite: Suite, metrics: Metrics, place: int) -> None:
    bodies: list[Any] = [interaction(n, user_id=f"u-{n % 40}") for n in range(100)]
    assert suite.record(*bodies[:place], b"\x00\xff", *bodies[place:]) == ALL_DONE
    assert suite.wire.calls == {"BatchGetItem": 1, "BatchExecuteStatement": 2, "PutObject": 1}
    (key,) = [each["Key"] for each in suite.s3.list_objects_v2(Bucket="rejected")["Contents"]]
    assert key.startswith("recommendations/")
    assert SHARD in key
    counted = metrics()
    assert (counted["InteractionsRecorded"], counted["Rejected"]) == (100, 1)


def test_without_the_store_of_rejections_nothing_is_lost(suite: Suite, metrics: Metrics) -> None:
    records = suite.records_of(interaction(1), b"bad", interaction(2))
    suite.wire.refuse("PutObject", "ServiceUnavailable", status=503)
    assert deliver(records) == again(records[1])
    settled(suite, u_1=[1, 2])
    suite.wire.repair()
    assert deliver(records[1:]) == ALL_DONE
    assert len(suite.rejected()) == 1
    counted = metrics()
    assert (counted["InteractionsRecorded"], counted["Duplicates"], counted["Rejected"]) == (2, 1, 1)


def test_rejections_after_the_first_failure_are_stored_once(suite: Suite) -> None:
    records = suite.records_of(b"bad 1", interaction(1), b"bad 2")
    suite.wire.throttle("u-1", times=4)
    assert deliver(records) == again(records[1])
    assert len(suite.rejected()) == 1
    assert deliver(records[1:]) == ALL_DONE
    assert len(suite.rejected()) == 2
