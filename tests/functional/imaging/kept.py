"""What is kept of studies and patients: ids, rows and objects as the steps leave them; and what is left of them."""

from cuatro.adapters.dynamodb import dynamo
from tests.functional.imaging.images import file, image
from tests.functional.imaging.suite import NAMES, Suite
from tests.functional.stage import client


def study(number: int = 1) -> str:
    return NAMES.study(str(image(1, study=number).StudyInstanceUID))


def instance(number: int = 1, of: int = 1) -> str:
    return NAMES.instance(str(image(number, study=of).SOPInstanceUID))


def read(suite: Suite) -> None:
    """What a reading of study 1 leaves, and an open task."""
    for key in ("image.dcm", "image.png", "result.json", "heatmap.png"):
        for content in (b"first", b"again"):
            suite.s3.put_object(Bucket="deidentified", Key=f"studies/{study()}/{instance()}/{key}", Body=content)
    suite.s3.put_object(Bucket="identified", Key=f"results/{study()}/1/sr.dcm", Body=b"report")
    suite.s3.put_object(Bucket="identified", Key=f"rejected/{instance(2)}.dcm", Body=b"rejected")
    suite.s3.delete_object(Bucket="identified", Key=f"rejected/{instance(2)}.dcm")
    client("dynamodb").put_item(
        TableName="reviews", Item={"task": {"S": "t" * 26}, "s": {"S": study()}, "t": {"N": "1"}}
    )


def reviews() -> None:
    """The table of the review queue."""
    client("dynamodb").create_table(
        TableName="reviews",
        KeySchema=[{"AttributeName": "task", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind} for name, kind in (("task", "S"), ("s", "S"), ("t", "N"))
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_subject",
                "KeySchema": [{"AttributeName": "s", "KeyType": "HASH"}, {"AttributeName": "t", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def seed(suite: Suite, number: int, of: int) -> None:
    """What the intake leaves of an instance; that it does leave this is shown below."""
    rows = {
        "studies": {"study": study(of), "p": NAMES.patient("north", f"PHANTOM-{of}"), "s": "arriving", "t": 1, "r": 0},
        "instances": {"instance": instance(number, of), "study": study(of), "s": "received"},
    }
    for table, row in rows.items():
        dynamo().put_all(table, [row])
    suite.s3.put_object(Bucket="identified", Key=f"instances/{instance(number, of)}.dcm", Body=file(image(number, of)))


def versions(suite: Suite, *words: str) -> list[str]:
    """Keys of all versions and markers in both buckets that have one of these words in them."""
    found = []
    for bucket in ("identified", "deidentified"):
        page = suite.s3.list_object_versions(Bucket=bucket)
        found += [each["Key"] for kind in ("Versions", "DeleteMarkers") for each in page.get(kind, [])]
    return [key for key in found if any(word in key for word in words)]


OF_THE_PATIENT = study(), instance(1), instance(2)
