"""Bucket or table of a template -> its encryption, object lock and policy, which MiniStack passes over.

A bucket without the encryption that its template says would need no grants on a key here, and a table without its
policy would take changes that AWS refuses.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import json
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import dynamodb, s3
from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]
Put = Callable[[str, bytes], Any]

TABLE = "AWS::DynamoDB::Table"


def install() -> None:
    """Have stacks apply these properties, and IAM ask tables for their policies."""
    provisioners._S3_BUCKET_CONFIGURATIONS += (
        ("BucketEncryption", encryption, _applied(s3._put_bucket_encryption), s3._delete_bucket_encryption),
        ("ObjectLockEnabled", lambda on: b"on" if on else b"", _lock, _kept),
        ("ObjectLockConfiguration", object_lock, _applied(s3._put_object_lock_configuration), _kept),
    )
    handlers = provisioners._RESOURCE_HANDLERS[TABLE]
    provisioners._RESOURCE_HANDLERS[TABLE] = {**handlers, **{
        name: _with_settings(handlers[name]) for name in ("create", "update") if name in handlers
    }}  # fmt: skip
    dynamodb.table_policy_for_arn = table_policy
    iam_evaluator._RESOURCE_POLICY_LOOKUPS["dynamodb"] = ("dynamodb", "table_policy_for_arn")


def encryption(properties: Properties) -> bytes:
    """BucketEncryption of a template as PutBucketEncryption takes it."""
    root = Element("ServerSideEncryptionConfiguration")
    for rule in properties.get("ServerSideEncryptionConfiguration") or []:
        by = SubElement(root, "Rule")
        default = SubElement(by, "ApplyServerSideEncryptionByDefault")
        for name, value in (rule.get("ServerSideEncryptionByDefault") or {}).items():
            SubElement(default, name).text = str(value)
        SubElement(by, "BucketKeyEnabled").text = str(rule.get("BucketKeyEnabled", False)).lower()
    return tostring(root)


def object_lock(properties: Properties) -> bytes:
    """ObjectLockConfiguration of a template as PutObjectLockConfiguration takes it."""
    root = Element("ObjectLockConfiguration")
    SubElement(root, "ObjectLockEnabled").text = properties.get("ObjectLockEnabled", "Enabled")
    default = (properties.get("Rule") or {}).get("DefaultRetention")
    if default:
        of_rule = SubElement(SubElement(root, "Rule"), "DefaultRetention")
        for name, value in default.items():
            SubElement(of_rule, name).text = str(value)
    return tostring(root)


def table_policy(arn: str) -> tuple[str, str] | None:
    """(policy, owner) of the table that an ARN, of an index too, is of."""
    found = dynamodb._resource_policies.get(arn.partition("/index/")[0])
    return (found["Policy"], get_account_id()) if found else None


def _applied(put: Put) -> Put:
    def applied(bucket: str, body: bytes) -> None:
        status, _, answer = put(bucket, body)
        if status >= 400:
            raise ValueError(answer.decode() if isinstance(answer, bytes) else str(answer))

    return applied


def _lock(bucket: str, on: bytes) -> None:
    """Object lock is for good, and for versions: it switches them on."""
    if on:
        s3._bucket_versioning[bucket] = "Enabled"
        s3._bucket_object_lock.setdefault(bucket, {"enabled": True, "default_retention": None})


def _kept(_bucket: str) -> None:
    """Object lock that a template no longer has stays, as on AWS."""


def _with_settings(apply: Callable[..., Any]) -> Callable[..., Any]:
    def applied(*given: Any, **named: Any) -> Any:
        made = apply(*given, **named)
        # (logical id, properties, stack) of a new one, (physical id, old, new, stack) of one that changes
        properties: Properties = given[1] if len(given) == 3 else given[2]
        table = dynamodb._tables[made[0]]
        arn, encrypted = table["TableArn"], properties.get("SSESpecification")
        if encrypted:
            table["SSEDescription"] = dynamodb._sse_description_from_spec(
                {"Enabled": encrypted.get("SSEEnabled"), **encrypted}
            )
        document = (properties.get("ResourcePolicy") or {}).get("PolicyDocument")
        if document:
            text = document if isinstance(document, str) else json.dumps(document)
            dynamodb._put_resource_policy({"ResourceArn": arn, "Policy": text})
        else:
            dynamodb._resource_policies.pop(arn, None)
        return made

    return applied
