"""Schemas, datasets and import jobs: what is taken, and what fails with which reason."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.checked import Aws, unique
from tests.personalize.shop import INTERACTIONS, Shop, rows_of, schema, to_csv


@pytest.fixture
def empty(aws: Aws, bucket: str, role: str) -> Shop:
    """A dataset group with datasets of interactions without rows."""
    made = Shop(aws, bucket, role)
    made.dataset("INTERACTIONS", INTERACTIONS)
    return made


def refusal(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as failed:
        call(**given)
    return f"{failed.value.response['Error']['Code']}: {failed.value.response['Error']['Message']}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "valid Avro"),
        ("[]", "valid Avro"),
        (schema("a", [("ITEM_ID", "string")]).replace("record", "enum"), "must be an Avro record"),
        (json.dumps({"type": "record", "name": "a", "fields": []}), "at least one field"),
        (schema("a", [("USER_ID", "text"), ("ITEM_ID", "string")]), "has the type text"),
        (schema("a", [("A B", "string")]), "no valid name"),
        (schema("a", [("USER_ID", "string"), ("USER_ID", "string")]), "no valid name of its own"),
        (schema("a", [("COLOUR", "string")]), "fits no type of dataset"),
    ],
)  # fmt: skip
def test_schemas_that_cannot_be_are_refused(aws: Aws, text: str, why: str) -> None:
    told = refusal(aws.client("personalize").create_schema, name=unique("schema"), schema=text)
    assert told.startswith("InvalidInputException")
    assert why in told


def test_names_are_taken_once(empty: Shop) -> None:
    told = refusal(empty.personalize.create_dataset_group, name=empty.name)
    assert told.startswith("ResourceAlreadyExistsException")
    dataset = empty.personalize.describe_dataset(datasetArn=empty.datasets["INTERACTIONS"])["dataset"]
    given = {"datasetGroupArn": empty.group, "schemaArn": dataset["schemaArn"]}
    again = refusal(empty.personalize.create_dataset, name=unique("d"), datasetType="Interactions", **given)
    assert again.startswith("ResourceAlreadyExistsException")
    unfit = refusal(empty.personalize.create_dataset, name=unique("d"), datasetType="ACTIONS", **given)
    assert "not served here" in unfit
    assert "is in use" in refusal(empty.personalize.delete_schema, schemaArn=dataset["schemaArn"])
    assert "is in use" in refusal(empty.personalize.delete_dataset_group, datasetGroupArn=empty.group)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"USER_ID,ITEM_ID\nu,i\n", "missing the following columns: [TIMESTAMP, EVENT_TYPE]"),
        (b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\nu,i,yesterday,view\n", "line 2, TIMESTAMP"),
        (b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\nu,i,1,view,\nu,i,2,view,much\n", "line 3, EVENT_VALUE"),
        (b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\nu,i,1,view,and,more\n", "too many values"),
        (b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n", "no rows"),
        (b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n\xff,i,1,view\n", "cannot be read"),
    ],
)
def test_files_that_break_the_schema_fail_the_job(empty: Shop, content: bytes, why: str) -> None:
    job = empty.imported("INTERACTIONS", content)
    assert job["status"] == "CREATE FAILED"
    assert why in job["failureReason"]


def test_what_the_role_may_not_read_fails_the_job(aws: Aws, empty: Shop) -> None:
    empty.role = aws.role(trusts="personalize.amazonaws.com")
    job = empty.imported("INTERACTIONS", to_csv(rows_of()))
    assert job["status"] == "CREATE FAILED"
    assert "s3:ListBucket" in job["failureReason"]
    given = {"datasetArn": empty.datasets["INTERACTIONS"], "dataSource": {"dataLocation": "s3://nowhere/x.csv"}}
    make = empty.personalize.create_dataset_import_job
    assert "Could not assume role" in refusal(make, jobName=unique("j"), roleArn=aws.role(), **given)
    assert "roleArn is required" in refusal(make, jobName=unique("j"), **given)


def test_too_little_to_learn_from_fails_the_version(empty: Shop) -> None:
    assert empty.imported("INTERACTIONS", to_csv(rows_of()[:900]))["status"] == "ACTIVE"
    made = empty.version(empty.solution("aws-user-personalization-v2"))
    assert made["status"] == "CREATE FAILED"
    assert "There are 900 interactions" in made["failureReason"]


def test_imports_add_or_replace_and_solutions_choose_events(empty: Shop) -> None:
    """1,000 rows are needed: after INCREMENTAL there are enough, and after FULL of a part too few again."""
    rows = rows_of()
    half = len(rows) // 2
    solution = empty.solution("aws-user-personalization-v2")
    assert empty.imported("INTERACTIONS", to_csv(rows[:half]))["status"] == "ACTIVE"
    assert empty.version(solution)["status"] == "CREATE FAILED"
    assert empty.imported("INTERACTIONS", to_csv(rows[half:]), importMode="INCREMENTAL")["status"] == "ACTIVE"
    trained = empty.version(solution)
    assert trained["status"] == "ACTIVE"
    metrics = empty.personalize.get_solution_metrics(solutionVersionArn=trained["solutionVersionArn"])["metrics"]
    assert metrics["normalized_discounted_cumulative_gain_at_10"] > 0.5  # everybody walks along a shelf
    assert 0 < metrics["precision_at_10"] <= 0.1
    purchases = sum(row["EVENT_TYPE"] == "purchase" for row in rows)
    chosen = empty.version(empty.solution("aws-user-personalization-v2", eventType="purchase"))
    assert f"There are {purchases} interactions" in chosen["failureReason"]
    assert empty.imported("INTERACTIONS", to_csv(rows[:half]))["status"] == "ACTIVE"
    assert empty.version(solution)["status"] == "CREATE FAILED"


def test_a_training_can_be_stopped(empty: Shop) -> None:
    many = [{**row, "USER_ID": f"{row['USER_ID']}-{copy}"} for copy in range(20) for row in rows_of(copy)]
    assert empty.imported("INTERACTIONS", to_csv(many))["status"] == "ACTIVE"
    solution = empty.solution("aws-user-personalization-v2")
    arn = empty.personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    assert "is in use" in refusal(empty.personalize.delete_solution, solutionArn=solution)
    empty.personalize.stop_solution_version_creation(solutionVersionArn=arn)
    assert empty.ended("solution_version", solutionVersionArn=arn)["status"] == "CREATE STOPPED"
    assert "can be stopped" in refusal(empty.personalize.stop_solution_version_creation, solutionVersionArn=arn)
    latest = empty.personalize.describe_solution(solutionArn=solution)["solution"]["latestSolutionVersion"]
    assert latest["status"] == "CREATE STOPPED"
    empty.personalize.delete_solution(solutionArn=solution)


def test_lists_for_many_are_written_to_s3(shop: Shop, version: str, campaign: str) -> None:
    key, users = f"batch/{unique('in')}.json", ["u1", "u2", "nobody"]
    lines = [json.dumps({"userId": user}) for user in users] + ['{"itemId": "of another recipe"}']
    s3 = shop.aws.client("s3")
    s3.put_object(Bucket=shop.bucket, Key=key, Body="\n".join(lines).encode())
    job = {"jobName": unique("batch"), "solutionVersionArn": version, "roleArn": shop.role, "numResults": 7,
           "jobInput": {"s3DataSource": {"path": f"s3://{shop.bucket}/{key}"}},
           "jobOutput": {"s3DataDestination": {"path": f"s3://{shop.bucket}/batch/out/"}}}  # fmt: skip
    arn = shop.personalize.create_batch_inference_job(**job)["batchInferenceJobArn"]
    assert shop.ended("batch_inference_job", batchInferenceJobArn=arn)["status"] == "ACTIVE"
    out = s3.get_object(Bucket=shop.bucket, Key=f"batch/out/{key.rpartition('/')[2]}.out")["Body"].read().decode()
    told = [json.loads(line) for line in out.splitlines()]
    assert [each["input"] for each in told] == [json.loads(line) for line in lines]
    for user, each in zip(users, told, strict=False):
        assert each["output"]["recommendedItems"] == shop.list_of(campaign, userId=user, numResults=7)
    assert told[3]["output"] is None
    assert told[3]["error"]
