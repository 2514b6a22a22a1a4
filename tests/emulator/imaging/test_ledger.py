"""The deployed ledger: a study's whole story is in it, it is intact, and nobody who may write it may change it."""

import pytest
from botocore.exceptions import ClientError

from local.audit.ledger import Ledger, verified
from tests.emulator.imaging.readings import Reading, image
from tests.emulator.roles import denied, role_of
from tests.waiting import eventually

STORY = ["receive", "begin", "validate", "deidentify", "normalise", "infer", "route"]
REVIEWED = ["open_task", "lease", "view", "decide"]
SENT_BACK = ["report", "reidentify"]


@pytest.fixture(scope="module")
def study(read: Reading) -> str:
    """An adult's, which a person has read."""
    study = read.sent(image(PatientAge="050Y", PatientBirthDate=None))
    read.state(study, "review")
    read.decide(study, "normal")
    read.state(study, "read")
    return study


def actions(read: Reading, study: str) -> list[str]:
    """What was done for a study, once each, in order."""
    told = [entry.action for entry in Ledger(read.connection).entries() if study in {entry.object, entry.correlation}]
    return list(dict.fromkeys(told))


@pytest.mark.safeguard("164.312(b)")
def test_all_that_happened_to_a_study_is_in_it_in_order(read: Reading, study: str) -> None:
    wanted = [*STORY, *REVIEWED, *SENT_BACK]

    found = eventually(lambda: (told := actions(read, study)) and set(wanted) <= set(told) and told, "the whole story")

    assert [action for action in found if action in wanted] == wanted


@pytest.mark.safeguard("164.312(b)")
def test_what_a_sender_fetches_is_in_it(read: Reading, study: str) -> None:
    read.sender.get("/studies", "application/dicom+json")

    eventually(lambda: read.ledger(action="search", actor=f"sender:{read.hospital}"), "the search in the ledger")


@pytest.mark.safeguard("164.312(c)(2)")
def test_it_is_intact_and_anchored(read: Reading, study: str) -> None:
    found = verified(read.connection)

    assert found.intact, str(found)
    assert found.entries >= found.anchored > 0
    assert "intact" in read.cuatro("audit", "verify")


def test_the_command_tells_the_story(read: Reading, study: str) -> None:
    assert "route" in read.cuatro("audit", "show", "--object", study)


@pytest.mark.safeguard("164.312(c)(1)")
def test_who_writes_it_cannot_change_it(read: Reading, study: str) -> None:
    """With the writer's own role: adding over an entry, changing, removing, and touching an anchor."""
    table, bucket = read.outputs["LedgerTable"], read.outputs["LedgerBucket"]
    one = {"chain": {"S": "ledger"}, "seq": {"N": "1"}}
    anchor = read.client("s3").list_objects_v2(Bucket=bucket)["Contents"][0]["Key"]
    with role_of(read, "AuditFunction") as session:
        rows = session.client("dynamodb", endpoint_url=read.platform.endpoint)
        objects = session.client("s3", endpoint_url=read.platform.endpoint)
        assert denied(rows.put_item, TableName=table, Item=one)
        assert denied(rows.delete_item, TableName=table, Key=one)
        assert denied(
            rows.update_item, TableName=table, Key=one, UpdateExpression="SET actor = :a",
            ExpressionAttributeValues={":a": {"S": "nobody"}},
        )  # fmt: skip
        change = f"""UPDATE "{table}" SET actor='nobody' WHERE chain='ledger' AND seq=1"""  # noqa: S608
        assert denied(rows.execute_statement, Statement=change)
        assert denied(objects.delete_object, Bucket=bucket, Key=anchor)
        with pytest.raises(ClientError) as refused:
            rows.execute_statement(Statement=f"""INSERT INTO "{table}" VALUE {{'chain': 'ledger', 'seq': 1}}""")
        assert refused.value.response["Error"]["Code"] == "DuplicateItemException"


@pytest.mark.safeguard("164.312(c)(1)")
def test_an_anchor_cannot_be_removed_by_anybody(read: Reading, study: str) -> None:
    """By the account's administrator: the bucket's lock holds for a year."""
    s3, bucket = read.client("s3"), read.outputs["LedgerBucket"]
    version = s3.list_object_versions(Bucket=bucket)["Versions"][0]

    with pytest.raises(ClientError) as refused:
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
