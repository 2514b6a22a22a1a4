"""`cuatro erase patient`: asks before it erases, looks again after readings were stopped, and says why it does not."""

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from cuatro.adapters.dynamodb import dynamo
from cuatro.config import settings
from local.cli import erase as command
from local.platform.client import Connection
from local.platform.errors import PlatformError
from tests.functional.imaging.kept import OF_THE_PATIENT, instance, read, reviews, seed, study, versions
from tests.functional.imaging.suite import MACHINE, REGION, Suite
from tests.functional.locks_in_memory import locks
from tests.functional.stage import Context, client


class Lambda:
    """Runs the function in this process, as Lambda answers."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:
        from functions.imaging.erase.handler import handler  # noqa: PLC0415 - reads the test's environment

        assert FunctionName == "erase"
        self.events.append(json.loads(Payload))
        try:
            return {"Payload": io.BytesIO(json.dumps(handler(self.events[-1], Context())).encode())}
        except Exception as error:  # noqa: BLE001 - as Lambda does
            body = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(body).encode())}


LAMBDA = Lambda()


class Deployed(Connection):
    """The function in memory as if a stack had made it."""

    def outputs(self, stack: str = "") -> dict[str, str]:
        return {"EraseFunction": "erase"}

    def client(self, service: str, **options: Any) -> Any:
        return LAMBDA if service == "lambda" else super().client(service, **options)


@pytest.fixture
def kept(suite: Suite, environment: pytest.MonkeyPatch) -> Iterator[Suite]:
    """A patient of whom there is something."""
    environment.setenv("REVIEWS_TABLE", "reviews")
    settings.cache_clear()
    reviews()
    # Here, not within the runner: the logger keeps the stream that it finds first.
    from functions.imaging.erase import handler  # noqa: PLC0415 - reads the test's environment

    assert handler
    seed(suite, 1, 1)
    seed(suite, 2, 1)
    read(suite)
    connection = Deployed("aws", None, boto3.Session(), REGION)
    environment.setattr("local.platform.client.connect", lambda *_: connection)
    LAMBDA.events.clear()
    with locks():
        yield suite


def run(*words: str, answer: str = "") -> Result:
    return CliRunner().invoke(command.app, ["patient", *words], input=answer)


def test_it_asks_and_does_nothing_without_a_yes(kept: Suite) -> None:
    result = run("PHANTOM-1", "--issuer", "north", answer="n\n")

    assert result.exit_code == 1
    assert "1 studies, 2 instances, 13 versions" in result.output
    assert [event.get("preview") for event in LAMBDA.events] == [True]
    assert versions(kept, *OF_THE_PATIENT)


def test_with_a_yes_all_is_gone(kept: Suite) -> None:
    result = run("PHANTOM-1", "--issuer", "north", answer="y\n")

    assert result.exit_code == 0
    assert "Erased." in result.output
    assert not versions(kept, *OF_THE_PATIENT)
    assert LAMBDA.events[-1]["by"].startswith("arn:aws:")


def test_after_a_reading_was_stopped_it_looks_again(kept: Suite) -> None:
    arn = client("stepfunctions").start_execution(stateMachineArn=MACHINE, name=f"{study()}-1")["executionArn"]
    dynamo().update("studies", {"study": study()}, "SET e = :e, r = :r", {":e": arn, ":r": 1})

    result = run("PHANTOM-1", "--issuer", "north", "--yes", "--settle", "0")

    assert "1 readings were stopped" in result.output
    assert len(LAMBDA.events) == 3
    assert kept.items("studies")[study()]["erased"]


def test_a_preview_touches_nothing(kept: Suite) -> None:
    assert run("PHANTOM-1", "--issuer", "north", "--preview").exit_code == 0
    assert versions(kept, *OF_THE_PATIENT)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("PHANTOM-1", "--issuer", "south", "--yes"), "Nothing is kept"),
        (("no-pseudonym", "--pseudonym", "--yes"), "26 characters"),
    ],
)
def test_who_is_not_known_is_told_so(kept: Suite, words: tuple[str, ...], told: str) -> None:
    result = run(*words)

    assert isinstance(result.exception, PlatformError)
    assert told in str(result.exception)


def test_a_hold_is_told(kept: Suite) -> None:
    bucket = client("s3")
    bucket.create_bucket(
        Bucket="held", CreateBucketConfiguration={"LocationConstraint": REGION}, ObjectLockEnabledForBucket=True
    )
    key = f"instances/{instance()}.dcm"
    bucket.put_object(Bucket="held", Key=key, Body=b"x")
    bucket.put_object_legal_hold(Bucket="held", Key=key, LegalHold={"Status": "ON"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDENTIFIED_BUCKET", "held")
        settings.cache_clear()
        result = run("PHANTOM-1", "--issuer", "north", "--yes")

    assert isinstance(result.exception, PlatformError)
    assert "1 by legal hold" in str(result.exception)
    assert kept.items("studies")
