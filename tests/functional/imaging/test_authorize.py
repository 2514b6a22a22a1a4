"""Who may send: an IAM policy for API Gateway; strangers are denied, and the ledger knows."""

import base64
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from cuatro.adapters import secrets
from cuatro.errors import Unavailable
from functions.imaging import roster
from tests.functional.imaging.suite import TOKENS, Suite
from tests.functional.stage import Context

ARN = "arn:aws:execute-api:eu-west-1:123456789012:abc123/v1/POST/studies"


def asked(authorization: str | None, **event: Any) -> dict[str, Any]:
    from functions.imaging.authorize.handler import handler  # noqa: PLC0415 - reads the test's environment

    headers = {} if authorization is None else {"authorization": authorization}
    request = {"type": "REQUEST", "methodArn": ARN, "headers": headers, "requestContext": {"requestId": "r-1"}}
    return handler({**request, **event}, Context())


def effect(answer: dict[str, Any]) -> str:
    return str(answer["policyDocument"]["Statement"][0]["Effect"])


@pytest.mark.safeguard("164.312(a)(2)(i)")
def test_a_sender_may_call_every_route(suite: Suite) -> None:
    answer = asked(f"Bearer {TOKENS['north']}")
    assert answer == {
        "principalId": "north",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": "arn:aws:execute-api:eu-west-1:123456789012:abc123/v1/*",
                }
            ],
        },
        "context": {"sender": "north"},
    }
    assert suite.messages("audit.fifo") == []
    basic = base64.b64encode(f"south:{TOKENS['south']}".encode()).decode()
    assert asked(f"Basic {basic}")["context"] == {"sender": "south"}
    assert effect(asked(None, type="TOKEN", authorizationToken=f"Bearer {TOKENS['north']}")) == "Allow"


@pytest.mark.parametrize("authorization", [None, "", "Bearer wrong", "Basic bm9ydGg6d3Jvbmc=", "nonsense"])
@pytest.mark.safeguard("164.312(d)", "164.312(b)")
def test_anybody_else_is_denied_and_told_of(
    suite: Suite, metrics: Callable[[], Counter[str]], authorization: str | None
) -> None:
    answer = asked(authorization)
    assert (effect(answer), answer["principalId"]) == ("Deny", "nobody")
    assert metrics()["AuthorizationsDenied"] == 1
    (told,) = suite.audited("authorize_failed")
    assert (told["outcome"], told["actor"]) == ("denied", "nobody")
    assert "wrong" not in str(told)


def test_a_new_sender_need_not_wait_and_a_removed_one_is_out_in_minutes(suite: Suite) -> None:
    assert effect(asked("Bearer east")) == "Deny"
    suite.set_senders({"east": {}})
    assert asked("Bearer east")["context"] == {"sender": "east"}
    suite.set_senders({"east": {}, "west": {}})
    assert asked("Bearer west")["context"] == {"sender": "west"}
    suite.set_senders({})
    assert effect(asked("Bearer east")) == "Allow"
    secrets.forget()  # five minutes later
    assert effect(asked("Bearer east")) == "Deny"


def test_strangers_do_not_make_the_secret_be_read_each_time(suite: Suite) -> None:
    for _ in range(20):
        asked("Bearer wrong")
    assert suite.wire.calls["GetSecretValue"] == 1 + roster.RENEWALS


@pytest.mark.safeguard("164.312(d)")
def test_nobody_gets_in_while_the_secret_cannot_be_read(suite: Suite) -> None:
    suite.wire.down("GetSecretValue")
    with pytest.raises(Unavailable):
        asked(f"Bearer {TOKENS['north']}")


def test_a_secret_that_nobody_has_written_lets_nobody_in(suite: Suite, environment: pytest.MonkeyPatch) -> None:
    from cuatro.config import settings  # noqa: PLC0415
    from tests.functional.stage import client  # noqa: PLC0415

    client("secretsmanager").create_secret(Name="fresh", SecretString="a-generated-word")
    environment.setenv("SENDERS_SECRET_ARN", "fresh")
    settings.cache_clear()
    assert effect(asked("Bearer a-generated-word")) == "Deny"
