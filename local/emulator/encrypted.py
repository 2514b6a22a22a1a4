"""Request to S3, Secrets Manager, SQS or DynamoDB -> the use of a KMS key that it is, asked for before it is answered.

What is asked for is what AWS asks: writing needs GenerateDataKey, reading Decrypt; a write that also reads (parts of
an upload, a message's data key, a secret's older version) needs both. DynamoDB opens a table's own key with Decrypt,
for writes too. Errors have the codes that each service passes KMS's refusals on with.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_actions
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import dynamodb, s3, secretsmanager, sqs

from local.emulator import keys
from local.emulator.keys import Refusal, refused

Answer = Any
READ, WRITE, BOTH = ("Decrypt",), ("GenerateDataKey",), ("GenerateDataKey", "Decrypt")

_S3_SSE = "x-amz-server-side-encryption"
_S3_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
# What an object request may have in its query and still be about the object itself.
_OF_OBJECT = ("versionid", "partnumber", "uploadid", "uploads", "x-id")
_S3_CODES = {
    "denied": ("AccessDenied", 403),
    "disabled": ("KMS.DisabledException", 400),
    "invalid": ("KMS.KMSInvalidStateException", 400),
    "missing": ("KMS.NotFoundException", 400),
}
_SQS_CODES = {
    "denied": "KmsAccessDenied", "disabled": "KmsDisabled", "invalid": "KmsInvalidState", "missing": "KmsNotFound",
}  # fmt: skip
_QUEUES = {"SendMessage": BOTH, "SendMessageBatch": BOTH, "ReceiveMessage": READ}
_ITEMS = {
    "BatchExecuteStatement", "BatchGetItem", "BatchWriteItem", "DeleteItem", "ExecuteStatement", "ExecuteTransaction",
    "GetItem", "PutItem", "Query", "Scan", "TransactGetItems", "TransactWriteItems", "UpdateItem",
}  # fmt: skip


def install() -> None:
    """Have the four services ask for their keys."""
    s3._resolve_sse_write_headers = _with_some_key(s3._resolve_sse_write_headers)
    s3.handle_request = keys.with_caller(_asked(s3.handle_request, _objects))
    dynamodb.handle_request = keys.with_caller(_asked(dynamodb.handle_request, _items))
    sqs.handle_request = keys.with_caller(sqs.handle_request)
    sqs._dispatch = _of_queue(sqs._dispatch)
    secretsmanager.handle_request = keys.with_caller(secretsmanager.handle_request)
    for name, actions in (("_get_secret_value", READ), ("_put_secret_value", BOTH), ("_update_secret", BOTH)):
        setattr(secretsmanager, name, _of_secret(getattr(secretsmanager, name), actions))
    secretsmanager._create_secret = _of_new_secret(secretsmanager._create_secret)


def _with_some_key(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """An object that is to be encrypted by KMS, without a key's name, gets the bucket's key, or AWS's own for S3."""

    def resolved(headers: dict[str, str], bucket: str) -> Any:
        if headers.get(_S3_SSE) == "aws:kms" and not headers.get(_S3_KEY):
            key = s3._bucket_default_sse_headers(bucket).get(_S3_KEY)
            own = f"arn:aws:kms:{get_region()}:{get_account_id()}:alias/aws/s3"
            headers = {**headers, _S3_KEY: key or own}
        return resolve(headers, bucket)

    return resolved


def _asked(handle: keys.Handle, ask: Callable[..., Answer | None]) -> keys.Handle:
    async def handled(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], *rest: Any, **named: Any
    ) -> Answer:
        refusal = None if named.get("internal") else ask(method, path, headers, body, query)
        return refusal or await handle(method, path, headers, body, query, *rest, **named)

    return handled


def _objects(method: str, path: str, headers: dict[str, str], _body: bytes, query: dict[str, Any]) -> Answer | None:
    """S3's answer when a key that a request about an object needs is refused."""
    headers = s3._merge_hoisted_amz_headers(headers, query)
    for bucket, name, key, actions in _uses(method, path, headers, query):
        arn = f"arn:aws:s3:::{bucket}" if _by_bucket(bucket) else f"arn:aws:s3:::{bucket}/{name}"
        refusal = refused(key, actions, "s3", {"aws:s3:arn": arn})
        if refusal:
            code, status = _S3_CODES[refusal.kind]
            return s3._error(code, refusal.message, status, f"/{bucket}/{name}")
    return None


def _uses(
    method: str, path: str, headers: dict[str, str], query: dict[str, Any]
) -> Iterator[tuple[str, str, str | None, tuple[str, ...]]]:
    """(bucket, object, key, actions) of what a request reads and writes."""
    bucket, name = s3._parse_bucket_key(path, headers)
    words = {word.lower() for word in query}
    own = all(word in _OF_OBJECT or word.startswith(("x-amz-", "response-")) for word in words)
    if not name or not own or bucket not in s3._buckets:
        return
    uploading = s3._multipart_uploads.get(_first(query, "uploadId"))
    if (method == "GET" and not uploading) or (method == "HEAD" and headers.get("x-amz-checksum-mode")):
        yield bucket, name, _stored(bucket, name, _first(query, "versionId")), READ
    elif method == "PUT":
        copied = unquote(headers.get("x-amz-copy-source", "")).lstrip("/")
        if copied:
            source, _, version = copied.partition("?versionId=")
            of, _, its = source.partition("/")
            yield of, its, _stored(of, its, version), READ
        yield bucket, name, _of_upload(uploading) if uploading else _wanted(bucket, headers), WRITE
    elif method == "POST" and uploading:
        yield bucket, name, _of_upload(uploading), READ
    elif method == "POST" and "uploads" in words:
        yield bucket, name, _wanted(bucket, headers), WRITE


def _first(query: dict[str, Any], name: str) -> str:
    value = query.get(name) or ""
    return str(value[0] if isinstance(value, list) else value)


def _stored(bucket: str, name: str, version: str | None) -> str | None:
    """Key of an object as it is stored."""
    found = (s3._buckets.get(bucket) or {"objects": {}})["objects"].get(name)
    if version and version != "null":
        versions = s3._object_versions.get((bucket, name), [])
        found = next((each for each in versions if each["version_id"] == version), None)
    return s3._stored_sse_headers(found).get(_S3_KEY) if found else None


def _wanted(bucket: str, headers: dict[str, str]) -> str | None:
    """Key for an object that is written: the request's, else the bucket's."""
    sse, error = s3._resolve_sse_write_headers(headers, bucket)
    return None if error else sse.get(_S3_KEY)


def _of_upload(upload: dict[str, Any]) -> str | None:
    found: str | None = s3._stored_sse_headers(upload).get(_S3_KEY)
    return found


def _by_bucket(bucket: str) -> bool:
    """Whether a bucket's own key (S3 Bucket Key) is between KMS and its objects."""
    return "<BucketKeyEnabled>true" in (s3._bucket_encryption.get(bucket) or "")


def _items(_method: str, _path: str, headers: dict[str, str], body: bytes, _query: dict[str, Any]) -> Answer | None:
    """DynamoDB's answer when the key of a table is refused."""
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if action not in _ITEMS:
        return None
    where = body, get_region(), get_account_id()
    arns = {arn for _, arn in iam_actions.dynamodb_transaction_checks(f"dynamodb:{action}", *where)}
    for arn in sorted(arns or iam_actions.dynamodb_resource_arns(*where)):
        name = arn.partition(":table/")[2].partition("/")[0]
        described = (dynamodb._tables.get(name) or {}).get("SSEDescription") or {}
        context = {"aws:dynamodb:tableName": name, "aws:dynamodb:subscriberId": get_account_id()}
        refusal = refused(described.get("KMSMasterKeyArn"), READ, "dynamodb", context)
        if refusal:
            return error_response_json("AccessDeniedException", refusal.message, 400)
    return None


def _of_queue(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    async def dispatched(action: str, data: dict[str, Any], url: str) -> Any:
        if action in _QUEUES:
            queue = sqs._get_q(url)
            attributes = queue["attributes"]
            context = {"aws:sqs:arn": attributes.get("QueueArn", "")}
            refusal = refused(attributes.get("KmsMasterKeyId"), _QUEUES[action], "sqs", context)
            if refusal:
                raise sqs._Err(_SQS_CODES[refusal.kind], refusal.message)
        return await dispatch(action, data, url)

    return dispatched


def _of_secret(answer: Callable[[dict[str, Any]], Answer], actions: tuple[str, ...]) -> Callable[..., Answer]:
    def answered(data: dict[str, Any], *rest: Any) -> Answer:
        _, secret = secretsmanager._resolve(data.get("SecretId"))
        writes = actions is READ or "SecretString" in data or "SecretBinary" in data
        refusal = _secret(data.get("KmsKeyId") or (secret or {}).get("KmsKeyId"), secret, actions) if writes else None
        return refusal or answer(data, *rest)

    return answered


def _of_new_secret(create: Callable[[dict[str, Any]], Answer]) -> Callable[..., Answer]:
    def created(data: dict[str, Any], *rest: Any) -> Answer:
        return _secret(data.get("KmsKeyId"), None, BOTH) or create(data, *rest)

    return created


def _secret(key: str | None, secret: dict[str, Any] | None, actions: tuple[str, ...]) -> Answer | None:
    """Secrets Manager's answer when a secret's key is refused."""
    refusal: Refusal | None = refused(key, actions, "secretsmanager", {"SecretARN": secret["ARN"]} if secret else {})
    if refusal is None:
        return None
    if refusal.kind == "denied":
        return error_response_json("AccessDeniedException", "Access to KMS is not allowed", 400)
    code = "DecryptionFailure" if actions is READ else "EncryptionFailure"
    return error_response_json(code, f"The secret's KMS key cannot be used: {refusal.message}", 400)
