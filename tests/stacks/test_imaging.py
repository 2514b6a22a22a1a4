"""Imaging's stack: two keys and who may use which, what is kept under them, a ledger that only grows."""

import pytest

from functions.imaging.policy import Policy
from tests.stacks.definitions import joined
from tests.stacks.granting import function, granted, listed, statements
from tests.stacks.imaging import FEW, FUNCTIONS, MANY, STACK, found, key_of, only
from tests.stacks.synthesis import DEFAULT, TARGET_NAMES, Assembly, assembly, references


@pytest.fixture(scope="module", params=TARGET_NAMES)
def suite(request: pytest.FixtureRequest) -> Assembly:
    return assembly(request.param)


def key_uses(suite: Assembly, name: str) -> set[tuple[str, str, str, str]]:
    """(key, action, service, store) that a function's role may use a key for."""
    uses = set()
    for statement in statements(suite, STACK, name):
        actions = [each for each in listed(statement["Action"]) if each.startswith("kms:")]
        if actions:
            conditions = {key: joined(value) for key, value in statement["Condition"]["StringEquals"].items()}
            service = conditions.pop("kms:ViaService").split(".")[0]
            ((context, store),) = conditions.items()
            assert context.startswith("kms:EncryptionContext:")
            (key,) = references(statement["Resource"])
            uses |= {(key.split("Key")[0], action.removeprefix("kms:"), service, store) for action in actions}
    return uses


def opened(suite: Assembly, service: str) -> dict[str, set[str]]:
    """Function -> keys that it may decrypt with by way of `service`."""
    uses = {
        name: {key for key, action, by, _ in key_uses(suite, name) if (action, by) == ("Decrypt", service)}
        for name in FUNCTIONS
    }
    return {name: keys for name, keys in uses.items() if keys}


@pytest.mark.safeguard("164.312(a)(1)", "164.312(a)(2)(iv)")
def test_images_are_opened_by_those_whose_job_needs_it_and_with_both_keys_by_two(suite: Assembly) -> None:
    identified, deidentified = {"Identified"}, {"Deidentified"}
    assert opened(suite, "s3") == {
        **dict.fromkeys(("Api", "Receive", "Validate", "Deliver"), identified),
        "Deidentify": identified,
        **dict.fromkeys(("Normalise", "Infer", "Report", "ReviewReviewers"), deidentified),
        "Reidentify": identified | deidentified,
    }
    written = {
        name: {key for key, action, *_ in key_uses(suite, name) if action == "GenerateDataKey"} for name in FUNCTIONS
    }
    assert {
        name
        for name in FUNCTIONS
        if {"Identified", "Deidentified"} <= written[name] | opened(suite, "s3").get(name, set())
    } == {"Deidentify", "Reidentify"}


def test_every_use_of_a_key_is_through_one_service_for_one_store(suite: Assembly) -> None:
    """So that the right to read a row is none to open an image: the same key, another way to it."""
    for name in FUNCTIONS:
        for _, _, service, store in key_uses(suite, name):
            kind = {"s3": "Bucket", "dynamodb": "Table", "secretsmanager": "Secret", "sqs": "Queue"}[service]
            assert kind in store, (name, service, store)


def test_no_policy_lets_anybody_use_a_key_directly(suite: Assembly) -> None:
    for policy in suite.resources("AWS::IAM::Policy", within=[STACK]):
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            actions = [each for each in listed(statement["Action"]) if each.startswith("kms:")]
            assert set(actions) <= {"kms:Decrypt", "kms:GenerateDataKey"}, policy.where
            assert not actions or "kms:ViaService" in statement["Condition"]["StringEquals"], policy.where


def test_keys_rotate_and_are_two(suite: Assembly) -> None:
    keys = found(suite, "AWS::KMS::Key")
    assert {key.id.split("Key")[0] for key in keys} == {"Identified", "Deidentified"}
    for key in keys:
        assert key.properties["EnableKeyRotation"] is True


def test_each_secret_has_the_readers_that_need_it_and_no_other(suite: Assembly) -> None:
    readers: dict[str, set[str]] = {}
    for name in FUNCTIONS:
        for secret in granted(suite, STACK, name).get("secretsmanager:GetSecretValue", ()):
            readers.setdefault(secret.removeprefix("${").split("Secret")[0], set()).add(name)
    assert readers == {
        "Pseudonym": {"Api", "Receive", "Deidentify", "Reidentify", "Erase"},
        "Senders": {"Authorize", "Receive", "Deliver"},
    }
    assert set(opened(suite, "secretsmanager")) == readers["Pseudonym"], "it is under the key of the identified data"
    assert key_of(only(suite, "AWS::SecretsManager::Secret", "Pseudonym").properties["KmsKeyId"]) == "Identified"


def test_buckets_are_versioned_under_their_key_and_refuse_another(suite: Assembly) -> None:
    for name, key in (("Identified", "Identified"), ("Deidentified", "Deidentified")):
        bucket = only(suite, "AWS::S3::Bucket", f"{name}Bucket")
        (rule,) = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert key_of(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]) == key
        assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket.properties["LoggingConfiguration"]["LogFilePrefix"] == f"imaging/{name.lower()}/"
        policy = only(suite, "AWS::S3::BucketPolicy", f"{name}BucketPolicy").properties["PolicyDocument"]["Statement"]
        denied = {each.get("Sid") for each in policy if each["Effect"] == "Deny"}
        assert denied >= {"RefuseOtherKeys", "RefuseOtherEncryption", "RefuseKeysOfCallers"}
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in [each["Condition"] for each in policy]


def test_rows_about_patients_are_under_the_identified_key_and_reviews_under_the_other(suite: Assembly) -> None:
    keys = {
        table.id.split("Table")[0]: key_of(table.properties.get("SSESpecification", {}).get("KMSMasterKeyId"))
        for table in found(suite, "AWS::DynamoDB::Table")
    }
    assert keys == {"Studies": "Identified", "Instances": "Identified", "ReviewReviews": "Deidentified", "Ledger": None}


def test_what_arrives_is_told_to_an_encrypted_queue(suite: Assembly) -> None:
    bucket = only(suite, "AWS::S3::Bucket", "IdentifiedBucket")
    told = bucket.properties["NotificationConfiguration"]["QueueConfigurations"]
    assert {each["Filter"]["S3Key"]["Rules"][0]["Value"] for each in told} == {"inbox/", "drop/"}
    (queue,) = {references(each["Queue"])[0] for each in told}
    for name in (queue, references(only(suite, "AWS::SQS::Queue", queue).properties["RedrivePolicy"])[0]):
        assert key_of(only(suite, "AWS::SQS::Queue", name).properties["KmsMasterKeyId"]) == "Identified"
    (policy,) = (
        each for each in found(suite, "AWS::SQS::QueuePolicy") if queue in references(each.properties["Queues"])
    )
    (sends,) = (each for each in policy.properties["PolicyDocument"]["Statement"] if each["Effect"] == "Allow")
    assert sends["Principal"] == {"Service": "s3.amazonaws.com"}
    assert sends["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.mark.safeguard("164.312(a)(2)(ii)")
def test_what_was_lost_by_mistake_or_malice_can_be_had_back(suite: Assembly) -> None:
    """An older version of an object for a month, a table of any second of 35 days, a key before it is gone for good."""
    for bucket in found(suite, "AWS::S3::Bucket"):
        assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}, bucket.where
        days = [
            rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
            for rule in bucket.properties["LifecycleConfiguration"]["Rules"]
            if "NoncurrentVersionExpiration" in rule
        ]
        assert days == [30], bucket.where
    for table in found(suite, "AWS::DynamoDB::Table"):
        restorable = table.properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert restorable is True, table.where
    for key in found(suite, "AWS::KMS::Key"):
        assert key.properties["PendingWindowInDays"] >= 7, key.where


def test_studies_are_kept_as_long_as_the_policy_says(suite: Assembly) -> None:
    days = policy_of(suite, "Api").retention_days
    for name, prefixes in (("Identified", ("instances/", "results/")), ("Deidentified", ("studies/",))):
        rules = only(suite, "AWS::S3::Bucket", f"{name}Bucket").properties["LifecycleConfiguration"]["Rules"]
        expire = {rule.get("Prefix"): rule.get("ExpirationInDays") for rule in rules}
        assert {expire[prefix] for prefix in prefixes} == {days}


@pytest.mark.parametrize(("options", "mode", "days"), [(FEW, "GOVERNANCE", 30), (MANY, "COMPLIANCE", 3650)])
def test_images_are_locked_when_asked_for_and_anchors_always(options: dict[str, str], mode: str, days: int) -> None:
    usual = assembly(DEFAULT)
    assert locks(usual) == {"Ledger": ("GOVERNANCE", 365)}
    locked = locks(assembly(DEFAULT, **options))
    assert locked == dict.fromkeys(("Identified", "Deidentified", "Ledger", "AccessTrailKept"), (mode, days))


def locks(suite: Assembly) -> dict[str, tuple[str, int]]:
    rules = {
        bucket.id.split("Bucket")[0]: bucket.properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
        for bucket in found(suite, "AWS::S3::Bucket")
        if bucket.properties.get("ObjectLockEnabled")
    }
    return {name: (rule["Mode"], rule["Days"]) for name, rule in rules.items()}


def policy_of(suite: Assembly, name: str) -> Policy:
    return Policy.from_json(function(suite, STACK, name).properties["Environment"]["Variables"]["POLICY"])


_CHANGES = {
    f"dynamodb:{action}"
    for action in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLDelete")
}


@pytest.mark.safeguard("164.312(c)(1)")
def test_one_function_adds_to_the_ledger_and_nobody_changes_it(suite: Assembly) -> None:
    ledger = only(suite, "AWS::DynamoDB::Table", "Ledger")
    (denial,) = ledger.properties["ResourcePolicy"]["PolicyDocument"]["Statement"]
    assert (denial["Effect"], denial["Principal"]) == ("Deny", {"AWS": "*"})
    assert set(denial["Action"]) == _CHANGES
    for name in FUNCTIONS:
        on = {
            action
            for action, resources in granted(suite, STACK, name).items()
            if any(ledger.id in resource for resource in resources)
        }
        assert on == ({"dynamodb:PartiQLInsert", "dynamodb:Query"} if name == "Audit" else set()), name


def test_the_ledgers_entries_come_in_order_and_by_everybody(suite: Assembly) -> None:
    queue = only(suite, "AWS::SQS::Queue", "AuditedQueue")
    assert queue.properties["FifoQueue"] is True
    sends = {
        name
        for name in FUNCTIONS
        if any(queue.id in resource for resource in granted(suite, STACK, name).get("sqs:SendMessage", ()))
    }
    assert sends == set(FUNCTIONS) - {"Audit"}


def test_anchors_are_written_by_the_ledgers_function_alone(suite: Assembly) -> None:
    bucket = only(suite, "AWS::S3::Bucket", "LedgerBucket").id
    on = {
        name: {
            action
            for action, resources in granted(suite, STACK, name).items()
            if any(bucket in each for each in resources)
        }
        for name in FUNCTIONS
    }
    assert {name: actions for name, actions in on.items() if actions} == {"Audit": {"s3:PutObject"}}
