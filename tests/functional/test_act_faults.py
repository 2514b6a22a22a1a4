"""Faults behind the decision: bus, alerts, blocks, stream, decisions table; done again until done, once in effect."""

import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cuatro.config import settings
from functions.fraud import lake
from functions.fraud.features import FEATURE_SET
from tests.functional import tiny_model
from tests.functional.conftest import POLICY
from tests.functional.suite import Suite, client, transaction

Metrics = Callable[[], Counter[str]]


@pytest.fixture
def decided(suite: Suite) -> Suite:
    """One approved, two declined, of three cards."""
    suite.score(
        transaction(1), transaction(2, card_id="c-2", amount=40_000), transaction(3, card_id="c-3", amount=40_000)
    )
    return suite


def alerted(suite: Suite) -> list[str]:
    return [each["transaction_id"] for each in suite.alerts()]


def scored(suite: Suite) -> list[str]:
    return [each["transaction_id"] for each in suite.events()]


def test_a_repeated_delivery_acts_once(decided: Suite, metrics: Metrics) -> None:
    decided.act()
    decided._delivered["cards"] = 0
    assert decided.act() == {"batchItemFailures": []}
    assert scored(decided) == ["t-1", "t-2", "t-3"]
    assert alerted(decided) == ["t-2", "t-3"]
    assert metrics()["AlertsPublished"] == 2


def test_while_sns_is_down_only_alerts_wait(decided: Suite, metrics: Metrics) -> None:
    decided.wire.refuse("PublishBatch", "InternalFailure", status=500)
    assert len(decided.act()["batchItemFailures"]) == 2
    assert set(decided.items("decisions")) == {"t-1"}
    decided.wire.repair()
    assert decided.act() == {"batchItemFailures": []}
    assert alerted(decided) == ["t-2", "t-3"]
    assert set(decided.items("decisions")) == {"t-1", "t-2", "t-3"}
    assert metrics()["AlertsPublished"] == 2


def test_alerts_that_sns_takes_in_part(decided: Suite) -> None:
    decided.wire.edit_text("PublishBatch", _one_failed)
    assert decided.act() == {"batchItemFailures": []}
    assert set(alerted(decided)) == {"t-2", "t-3"}


def _one_failed(body: str) -> str:
    failed = "<Failed><member><Id>1</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member></Failed>"
    return body.replace("<Failed/>", failed) if "<Failed/>" in body else body.replace("<Failed></Failed>", failed)


def test_events_that_the_bus_takes_in_part_are_sent_again(decided: Suite) -> None:
    def partly(answer: dict[str, Any]) -> dict[str, Any]:
        entries = answer["Entries"]
        return {"FailedEntryCount": 1, "Entries": [*entries[:-1], {"ErrorCode": "InternalFailure", "ErrorMessage": ""}]}

    decided.wire.edit("PutEvents", partly)
    assert decided.act() == {"batchItemFailures": []}
    assert set(scored(decided)) == {"t-1", "t-2", "t-3"}
    assert set(decided.items("decisions")) == {"t-1", "t-2", "t-3"}


def test_while_the_bus_is_down_nothing_is_marked_as_done(decided: Suite) -> None:
    decided.wire.down("PutEvents")
    assert len(decided.act()["batchItemFailures"]) == 3
    assert decided.items("decisions") == {}
    assert alerted(decided) == []
    decided.wire.repair()
    assert decided.act() == {"batchItemFailures": []}
    assert scored(decided) == ["t-1", "t-2", "t-3"]


def test_a_crash_between_publishing_and_inserting_is_made_up_for(decided: Suite) -> None:
    def crash() -> None:
        raise KeyboardInterrupt

    decided.wire.first("BatchExecuteStatement", crash)
    with pytest.raises(KeyboardInterrupt):
        decided.act()
    assert decided.items("decisions") == {}
    assert decided.act() == {"batchItemFailures": []}
    assert set(decided.items("decisions")) == {"t-1", "t-2", "t-3"}
    # Published twice, with the ids by which receivers can tell.
    assert Counter(scored(decided)) == {"t-1": 2, "t-2": 2, "t-3": 2}


def test_while_decisions_cannot_be_read_nothing_is_published(decided: Suite) -> None:
    decided.wire.down("BatchGetItem")
    with pytest.raises(Exception, match="BatchGetItem"):
        decided.act()
    assert scored(decided) == []
    decided.wire.repair()
    assert decided.act() == {"batchItemFailures": []}


def test_a_decision_that_cannot_be_written_is_written_later(decided: Suite) -> None:
    decided.wire.throttle("t-2", times=4)
    assert len(decided.act()["batchItemFailures"]) == 1
    assert decided.act() == {"batchItemFailures": []}
    assert set(decided.items("decisions")) == {"t-1", "t-2", "t-3"}


def test_a_declined_card_is_blocked_if_the_policy_says_so(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("POLICY", json.dumps({**POLICY, "block_on_decline": True}))
    suite.score(transaction(1, amount=40_000), transaction(2, card_id="c-2"))
    suite.wire.refuse("UpdateItem", "ThrottlingException", times=4)
    assert len(suite.act()["batchItemFailures"]) == 1
    assert suite.act() == {"batchItemFailures": []}
    (blocked,) = suite.events("CardBlocked")
    assert (blocked["card_id"], blocked["reason"]) == ("c-1", "declined t-1")
    suite.score(transaction(3), transaction(4, card_id="c-2"))
    suite.act()
    outcomes = {key: each["outcome"] for key, each in suite.items("decisions").items()}
    assert (outcomes["t-3"], outcomes["t-4"]) == ("decline", "approve")
    assert len(suite.events("CardBlocked")) == 1


def test_a_block_by_a_person_is_left_alone(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("POLICY", json.dumps({**POLICY, "block_on_decline": True}))
    suite.score(transaction(1, amount=40_000))
    suite.call("POST", "/cards/{card_id}/block", {"reason": "stolen"}, card_id="c-1")
    assert suite.act() == {"batchItemFailures": []}
    assert suite.items("cards")["c-1"]["b"] == "stolen"
    assert suite.events("CardBlocked") == []


def test_what_came_by_the_api_waits_while_the_stream_is_throttled(suite: Suite) -> None:
    suite.call("POST", "/authorizations", transaction(1))
    suite.wire.refuse("PutRecords", "ProvisionedThroughputExceededException", times=4)
    assert len(suite.act()["batchItemFailures"]) == 1
    assert suite.act() == {"batchItemFailures": []}
    assert len(suite.streamed()) == 1


def test_the_lake_gets_what_was_decided_and_from_what(decided: Suite) -> None:
    decided.wire.calls.clear()
    decided.act()
    assert decided.wire.calls["PutRecordBatch"] == 1, "Firehose bills each record as 5 KB at least"
    lines = [lake.decode_decision(json.dumps(line).encode()) for line in decided.lake()]
    items = decided.items("decisions")
    for line in lines:
        item = items[line.transaction_id]
        assert (line.features, line.outcome, line.model_version) == (
            item["features"], item["outcome"], item["model_version"],
        )  # fmt: skip
        assert line.feature_set == FEATURE_SET
    assert [line.transaction_id for line in lines] == ["t-1", "t-2", "t-3"]


def test_while_the_lake_is_away_alerts_do_not_wait_and_decisions_come_again(decided: Suite) -> None:
    decided.wire.refuse("PutRecordBatch", "ServiceUnavailableException", status=503)
    assert len(decided.act()["batchItemFailures"]) == 3
    assert alerted(decided) == ["t-2", "t-3"]
    assert decided.items("decisions") == {}
    decided.wire.repair()
    assert decided.act() == {"batchItemFailures": []}
    assert len(decided.lake()) == 3


def test_what_the_lake_takes_in_part_is_sent_again(decided: Suite) -> None:
    failed = {"FailedPutCount": 1, "RequestResponses": [{"ErrorCode": "ServiceUnavailableException"}]}
    decided.wire.edit("PutRecordBatch", lambda _answer: failed)
    assert decided.act() == {"batchItemFailures": []}
    assert {each["transaction_id"] for each in decided.lake()} == {"t-1", "t-2", "t-3"}


def test_a_damaged_outbox_fails_its_own_record_only(decided: Suite) -> None:

    client("dynamodb").put_item(TableName="cards", Item={"card_id": {"S": "c-9"}, "d": {"B": b"\xc1"}})
    assert len(decided.act()["batchItemFailures"]) == 1
    assert set(decided.items("decisions")) == {"t-1", "t-2", "t-3"}


def test_a_shadow_model_is_recorded_and_does_not_act(
    suite: Suite, environment: pytest.MonkeyPatch, metrics: Metrics, tmp_path: Path
) -> None:

    shadow = tiny_model.save(tmp_path / "shadow.onnx", {}, 5.0, version="tiny-2")
    environment.setenv("SHADOW_MODEL_URI", str(shadow))
    suite.score(transaction(1), transaction(2, amount=40_000))
    suite.act()
    decision = suite.items("decisions")["t-1"]
    assert decision["outcome"] == "approve"
    assert (decision["shadow"]["version"], decision["shadow"]["outcome"]) == ("tiny-2", "decline")
    assert alerted(suite) == ["t-2"]
    assert metrics()["ShadowDisagreements"] == 1


def test_a_decision_is_explained_by_the_model_that_made_it(
    suite: Suite, environment: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Canary: `score` runs the challenger as its model, `act` knows both; later `act` knows the champion only."""
    challenger = tiny_model.save(tmp_path / "challenger.onnx", {}, 5.0, version="tiny-2")
    champion = os.environ["MODEL_URI"]
    environment.setenv("MODEL_URI", str(challenger))
    suite.score(transaction(1, amount=10_000))
    _change(environment, MODEL_URI=champion, SHADOW_MODEL_URI=str(challenger))
    suite.act()
    (alert,) = suite.alerts()
    assert alert["model_version"] == "tiny-2"
    assert alert["reasons"] == ["the model's score is 0.99"], "with this bias no feature pushes"
    assert "explained by" not in caplog.text

    _change(environment, MODEL_URI=str(challenger), SHADOW_MODEL_URI="")
    suite.score(transaction(2, amount=20_000))
    _change(environment, MODEL_URI=champion)
    suite.act()
    assert "times the card's usual" in suite.alerts()[1]["reasons"][0]
    (told,) = [each for each in caplog.records if "explained by the live model" in each.message]
    assert told.decided_by == ["tiny-2"]


def _change(environment: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        environment.setenv(name, value)
    settings.cache_clear()


def test_a_broken_shadow_model_stops_nothing(suite: Suite, environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("SHADOW_MODEL_URI", str(tmp_path / "absent.onnx"))
    assert suite.score(transaction(1)) == {"batchItemFailures": []}
