"""POST /posts: for each brand a post is about, cleaned and redacted before it leaves; what cannot be taken is told."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from functions.sentiment.redact import pseudonym
from tests.functional.sentiment.suite import PSEUDONYM_KEY, Suite, ago, incoming

Metrics = Callable[[], Counter[str]]
SECRETS = [
    "ana.perez@mail.example",
    "+34 612 345 678",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "@ana_perez",
]
HOSTILE = (
    f"Northwind Coffee\u202e: I am {SECRETS[0]}, {SECRETS[1]}, card {SECRETS[2]}, {SECRETS[3]}, follow {SECRETS[4]}"
)


@pytest.fixture(autouse=True)
def _brand(suite: Suite) -> None:
    suite.watch_brand()


def test_a_post_is_cleaned_redacted_and_sent_on(suite: Suite, metrics: Metrics) -> None:
    url = "https://x.com/ana_perez/status/1234567890"
    status, answer = suite.post(incoming(1, HOSTILE, author="@ana_perez", url=url, network="x", language="es-ES"))
    assert (status, answer) == (202, {"accepted": 1, "matched": 1, "rejected": []})
    (sent,) = suite.sent()
    assert sent["text"] == "Northwind Coffee: I am [email], [phone], card [card], [iban], follow @user"
    assert sent["author"] == pseudonym("ana_perez", "x", PSEUDONYM_KEY.encode())
    assert (sent["url"], sent["language"], sent["brand"]) == ("https://x.com/i/status/1234567890", "es", "northwind")
    assert sent["correlation_id"] == "request-1"
    counted = metrics()
    assert (counted["PostsAccepted"], counted["PostsMatched"], counted["PostsRejected"]) == (1, 1, 0)


def test_nothing_unredacted_is_left_anywhere(
    suite: Suite, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    body = [incoming(1, HOSTILE), incoming(2, HOSTILE, time="yesterday"), incoming(3, HOSTILE, brand="nobody")]
    assert suite.post(*body)[1]["accepted"] == 1
    suite.flow()
    kept = json.dumps([list(suite.documents("")), suite.rejected()])
    kept += repr(suite.items("posts")) + capsys.readouterr().out + caplog.text
    for secret in SECRETS:
        assert secret not in kept
    assert "\u202e" not in kept
    assert "[email]" in kept


def test_a_post_counts_for_each_brand_whose_terms_it_has(suite: Suite) -> None:
    suite.watch_brand("southwind", terms=["southwind tea"])
    suite.watch_brand("asleep", enabled=False)
    both = incoming(1, "Northwind Coffee or Southwind Tea?")
    status, answer = suite.post(both, incoming(2, "neither of them"))
    assert (status, answer) == (202, {"accepted": 2, "matched": 2, "rejected": []})
    assert sorted(each["brand"] for each in suite.sent()) == ["northwind", "southwind"]


def test_a_sender_who_names_the_brand_needs_no_terms(suite: Suite) -> None:
    assert suite.post(incoming(1, "the queue was endless", brand="northwind"))[1]["matched"] == 1
    status, answer = suite.post(incoming(1, brand="nobody"))
    assert (status, answer["error"]["code"]) == (400, "unknown_brand")
    suite.watch_brand("asleep", enabled=False)
    assert suite.post(incoming(1, brand="asleep"))[1]["error"]["code"] == "brand_disabled"


def test_good_ones_are_taken_and_bad_ones_told_by_their_place(suite: Suite) -> None:
    status, answer = suite.post(
        incoming(1, time=ago(40 * 86_400)), incoming(2), {"version": 1}, incoming(3, url="javascript:alert(1)"), "text"
    )
    assert (status, answer["accepted"]) == (202, 1)
    assert [(each["index"], each["error"]["field"], each["error"]["code"]) for each in answer["rejected"]] == [
        (0, "time", "time_too_old"), (2, "id", "missing_field"), (3, "url", "invalid_value"), (4, None, "wrong_type"),
    ]  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"posts":[]}', b"\xff", b'{"posts":[{}]}', b"[" * 100_000])
def test_a_body_without_a_good_post_is_refused(suite: Suite, body: bytes) -> None:
    status, answer = suite.call("POST", "/posts", body)
    assert status == 400
    assert answer["error"]["code"]
    assert suite.sent() == []


def test_large_bodies_are_refused(suite: Suite) -> None:
    assert suite.call("POST", "/posts", b" " * 4_194_305)[0] == 413
    assert suite.post(*[incoming(number) for number in range(501)])[0] == 400


def test_text_that_is_no_unicode_costs_its_neighbours_nothing(suite: Suite) -> None:
    good = json.dumps(incoming(1)).encode()
    half = json.dumps(incoming(2, "Northwind Coffee \ud83d")).encode()
    broken = json.dumps(incoming(3, "Northwind Coffee !")).encode().replace(b"!", b"\xff\xfe")
    status, answer = suite.call("POST", "/posts", b'{"posts":[%b,%b,%b]}' % (good, half, broken))
    assert (status, answer["accepted"]) == (202, 3)
    texts = {each["id"]: each["text"] for each in suite.sent()}
    assert texts["p-2"] == "Northwind Coffee \ufffd"
    assert texts["p-3"] == "Northwind Coffee \ufffd\ufffd"


def test_clocks_that_jump_are_set_right(suite: Suite) -> None:
    suite.post(incoming(1, time=ago(-3600)), incoming(2, time=None))
    first, second = suite.sent()
    assert (first["time_adjusted"], first["time"]) == (True, first["collected_at"])
    assert (second["time_adjusted"], second["time"]) == (False, second["collected_at"])


def test_the_longest_texts_are_cut(suite: Suite) -> None:
    suite.post(incoming(1, "Northwind Coffee " + "\U0001f600" * 15_000))
    (sent,) = suite.sent()
    assert (len(sent["text"]), sent["cut"]) == (10_000, True)
    assert suite.flow()[0]["cut"]


def test_what_the_delivery_takes_half_of_is_told_and_can_be_sent_again(suite: Suite) -> None:
    def second_failed(answer: dict[str, Any]) -> dict[str, Any]:
        if len(answer["RequestResponses"]) > 1:
            answer["RequestResponses"][1] = {"ErrorCode": "ServiceUnavailableException"}
        return answer

    posts = [incoming(1, time="soon"), incoming(2), incoming(3, "Northwind Coffee is awful, all of it, they said")]
    suite.wire.edit("PutRecordBatch", second_failed)
    suite.wire.down("PutRecordBatch")
    status, answer = suite.post(*posts)
    assert (status, answer["accepted"], answer["matched"]) == (202, 1, 1)
    assert [(each["index"], each["error"]["code"]) for each in answer["rejected"]] == [
        (0, "invalid_time"),
        (2, "unavailable"),
    ]
    suite.wire.repair()
    assert suite.post(*posts)[1]["accepted"] == 2
    suite.flow()
    assert sorted(suite.rows()) == ["northwind#web#p-2", "northwind#web#p-3"], "once each"


@pytest.mark.parametrize("operation", ["PutRecordBatch", "Scan"])
def test_while_a_service_is_away_clients_try_again(suite: Suite, operation: str) -> None:
    suite.wire.down(operation)
    status, answer = suite.post(incoming(1))
    assert (status, answer["error"]["code"]) == (503, "unavailable")
    assert suite.headers["Retry-After"] == "1"
