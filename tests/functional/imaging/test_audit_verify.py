"""`cuatro audit`: an intact ledger is said to be intact; whoever touches a row or an anchor is found out."""

from collections.abc import Callable, Iterator

import boto3
import msgspec
import pytest
from typer.testing import CliRunner

from cuatro.adapters.chain import chain
from cuatro.config import settings
from functions.imaging import ledger
from functions.imaging.ledger import Broken
from local.audit.ledger import Ledger as Checked
from local.audit.ledger import Verified, verified
from local.cli import audit as command
from local.platform.client import Connection
from local.platform.errors import PlatformError
from tests.functional.aws_in_memory import wired
from tests.functional.imaging.ledger_in_memory import BUCKET, ENVIRONMENT, TABLE, Ledger, transactions
from tests.functional.stage import CREDENTIALS, REGION, client


class Deployed(Connection):
    """The ledger in memory as if a stack had made it."""

    def outputs(self, stack: str = "") -> dict[str, str]:
        return {"LedgerTable": TABLE, "LedgerBucket": BUCKET}


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """Twelve entries, ten of them anchored."""
    for name, value in {**CREDENTIALS, **ENVIRONMENT}.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    with wired() as wire, transactions():
        book = Ledger(wire)
        for number in range(12):
            book.record(f"object{number % 3}", actor=f"sender:{number % 2}")
        book.deliver()
        yield book
    settings.cache_clear()


@pytest.fixture
def connection(book: Ledger) -> Connection:
    return Deployed("aws", None, boto3.Session(), REGION)


def test_an_intact_ledger_is_said_to_be(connection: Connection) -> None:
    found = verified(connection)

    assert found == Verified(12, 1, 10)
    assert found.intact
    assert str(found) == "The ledger is intact: 12 entries, 10 of them in 1 anchors."


def change(seq: int, **attributes: str) -> None:
    for name, value in attributes.items():
        client("dynamodb").update_item(
            TableName=TABLE, Key={"chain": {"S": "ledger"}, "seq": {"N": str(seq)}},
            UpdateExpression="SET #n = :v", ExpressionAttributeNames={"#n": name},
            ExpressionAttributeValues={":v": {"S": value}},
        )  # fmt: skip


def drop(*seqs: int) -> None:
    for seq in seqs:
        client("dynamodb").delete_item(TableName=TABLE, Key={"chain": {"S": "ledger"}, "seq": {"N": str(seq)}})


def change_one(_book: Ledger) -> None:
    change(4, actor="somebody-else")


def drop_one(_book: Ledger) -> None:
    drop(4)


def drop_the_end(_book: Ledger) -> None:
    drop(*range(8, 13))


def forge_the_end(book: Ledger) -> None:
    """Entries 9 to 12 written anew, with hashes that fit each other."""
    entries = [ledger.entry_of(row) for row in book.rows()]
    drop(*range(9, 13))
    previous = entries[7].hash
    for entry in entries[8:]:
        forged = msgspec.structs.replace(entry, actor="nobody", previous=previous)
        forged = msgspec.structs.replace(forged, hash=ledger.digest(forged))
        assert chain(TABLE).append([ledger.row(forged)])
        previous = forged.hash


def replace_the_anchor(book: Ledger) -> None:
    ((key, _),) = book.anchored().items()
    client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"")


def hide_the_anchor(book: Ledger) -> None:
    ((key, _),) = book.anchored().items()
    client("s3").delete_object(Bucket=BUCKET, Key=key)


def remove_the_anchor(book: Ledger) -> None:
    (version,) = client("s3").list_object_versions(Bucket=BUCKET)["Versions"]
    client("s3").delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])


@pytest.mark.safeguard("164.312(c)(2)")
@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (change_one, [Broken(4, "changed")]),
        (drop_one, [Broken(4, "differs"), Broken(4, "missing")]),
        (drop_the_end, [Broken(8, "cut"), Broken(9, "cut"), Broken(10, "cut")]),
        (forge_the_end, [Broken(9, "differs"), Broken(10, "differs")]),
        (replace_the_anchor, [Broken(10, "replaced")]),
        (hide_the_anchor, [Broken(10, "replaced")]),
        (remove_the_anchor, [Broken(10, "replaced")]),
    ],
)
def test_whoever_touches_it_is_found_out(
    book: Ledger, connection: Connection, tamper: Callable[[Ledger], None], found: list[Broken]
) -> None:
    tamper(book)

    assert verified(connection).broken == found
    assert "NOT intact" in str(verified(connection))


def test_what_was_done_can_be_asked_for(connection: Connection) -> None:
    book = Checked(connection)

    assert [entry.seq for entry in book.entries("object1")] == [2, 5, 8, 11]
    assert [entry.seq for entry in book.entries(actor="sender:0")] == [1, 3, 5, 7, 9, 11]
    assert [entry.seq for entry in book.entries("object1", "sender:0")] == [5, 11]
    assert len(list(book.entries())) == 12


def test_the_command_says_so_and_ends_accordingly(
    book: Ledger, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.platform.client.connect", lambda *_: connection)
    assert "intact" in CliRunner().invoke(command.app, ["verify"]).output
    shown = CliRunner().invoke(command.app, ["show", "--object", "object1", "--limit", "2"], env={"COLUMNS": "200"})
    assert "2 older ones" in shown.output

    change_one(book)
    result = CliRunner().invoke(command.app, ["verify"])

    assert result.exit_code == 1
    assert isinstance(result.exception, PlatformError)
    assert "entry 4 does not say what was written" in str(result.exception)
