"""Function that reads a queue -> the checks that AWS makes: may its role receive, and use the queue's key, now?

MiniStack reads the queue whatever the role says. A mapping whose role lacks the right is refused when it is made; one
whose role, or key, is taken away later reads nothing until it is back, and the messages wait.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import time
from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import kms, lambda_svc, s3, sqs
from ministack.services.cloudformation import provisioners

from local.emulator import grants

Answer = Any
Data = dict[str, Any]

RECEIVES = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
SESSION = "queue"
# So long an answer of IAM's counts for a mapping that polls.
KEPT_S = 0.5

_asked: dict[str, tuple[float, bool]] = {}


def install() -> None:
    """Have mappings of queues, and S3's notifications to encrypted ones, checked."""
    lambda_svc._create_esm = _refusing(lambda_svc._create_esm)
    lambda_svc._sqs_esm_concurrency = _pausing(lambda_svc._sqs_esm_concurrency)
    s3._notification_destination_allows = _with_key(s3._notification_destination_allows)
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    handlers["create"] = _of_stack(handlers["create"])


def refusal(data: Data) -> str | None:
    """Why Lambda does not make this mapping of a queue; None when it does, or when it is of no queue."""
    queue = sqs._queue_by_arn(data.get("EventSourceArn", ""))
    name, qualifier, error = lambda_svc._resolve_existing_esm_function(data.get("FunctionName", ""))
    if queue is None or error:
        return None
    _, config = lambda_svc._get_func_record_for_qualifier(name, qualifier)
    missing = next((action for action in RECEIVES if not _may(config, queue, action)), None)
    if missing:
        return f"The provided execution role does not have permissions to call {missing} on SQS"
    timeout, hidden = int(config.get("Timeout", 3)), int(queue["attributes"].get("VisibilityTimeout", 30))
    if hidden < timeout:
        return f"Queue visibility timeout: {hidden} seconds is less than Function timeout: {timeout} seconds"
    return None


def _refusing(create: Callable[[Data], Answer]) -> Callable[[Data], Answer]:
    def created(data: Data) -> Answer:
        why = refusal(data)
        return error_response_json("InvalidParameterValueException", why, 400) if why else create(data)

    return created


def _of_stack(create: Callable[..., Answer]) -> Callable[..., Answer]:
    def created(logical_id: str, properties: Data, stack_name: str) -> Answer:
        why = refusal(properties)
        if why:
            raise ValueError(f"{why} (Service: Lambda, Status Code: 400)")
        return create(logical_id, properties, stack_name)

    return created


def _pausing(concurrency: Callable[..., int]) -> Callable[..., int]:
    """No batch for a mapping that may not receive now."""

    def allowed(mapping: Data, function: Data, config: Data, queue: Data | None = None) -> int:
        now, known = time.monotonic(), _asked.get(mapping["UUID"])
        if known is None or now - known[0] > KEPT_S:
            known = _asked[mapping["UUID"]] = (
                now,
                queue is None or (_may(config, queue, "ReceiveMessage") and _may_decrypt(config, queue)),
            )
        return concurrency(mapping, function, config, queue) if known[1] else 0

    return allowed


def _may(config: Data, queue: Data, action: str) -> bool:
    return grants.allowed(config.get("Role", ""), f"sqs:{action}", queue["attributes"]["QueueArn"], SESSION)


def _may_decrypt(config: Data, queue: Data) -> bool:
    key = _key(queue)
    if key is None:
        return True
    conditions = {
        "kms:ViaService": f"sqs.{get_region()}.amazonaws.com",
        "kms:EncryptionContext:aws:sqs:arn": queue["attributes"]["QueueArn"],
    }
    usable = key["KeyState"] == "Enabled"
    return usable and grants.allowed(config.get("Role", ""), "kms:Decrypt", key["Arn"], SESSION, conditions)


def _key(queue: Data) -> Data | None:
    """The customer's key of a queue."""
    name = queue["attributes"].get("KmsMasterKeyId") or ""
    found: Data | None = kms._resolve_key(name) if name and "alias/aws/" not in name else None
    return found


def _with_key(allows: Callable[..., bool]) -> Callable[..., bool]:
    """S3 may notify an encrypted queue only where the key's policy lets S3 use it."""

    def allowed(kind: str, arn: str, bucket: str, owner: str) -> bool:
        queue = sqs._queue_by_arn(arn) if kind == "sqs" else None
        key = _key(queue) if queue else None
        if key is None:
            return allows(kind, arn, bucket, owner)
        source = {"aws:sourcearn": f"arn:aws:s3:::{bucket}", "aws:sourceaccount": owner or get_account_id()}
        return allows(kind, arn, bucket, owner) and all(
            _service_may(key, action, source) for action in ("kms:GenerateDataKey", "kms:Decrypt")
        )

    return allowed


def _service_may(key: Data, action: str, source: dict[str, str]) -> bool:
    context = iam_evaluator.EvalContext(
        principal_arn="*", principal_type="Service", principal_account="", action=action, resource_arn=key["Arn"],
        region=get_region(), service_context=source,
    )  # fmt: skip
    decided = iam_evaluator.evaluate_resource_policy(key.get("Policy"), context, service="s3.amazonaws.com")
    return bool(decided.decision == "Allow")
