"""Records of a delivery stream -> its processors: a Lambda function, partition keys, delimiters -> records, failures.

Firehose's contract: the function gets batches by size, each record under an id that stays the same however often the
batch is tried; it answers every id once with Ok, Dropped or ProcessingFailed. A call that fails is tried again
NumberOfRetries times, then its records lie under processing-failed/. MiniStack passes them through unchanged.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import base64
import binascii
import itertools
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ministack.core.responses import get_region
from ministack.services import firehose, lambda_svc

from local.emulator import grants, metrics
from local.emulator.deliveryobjects import Failed, Record, is_on

Description = dict[str, Any]
Wait = Callable[[float], bool]

RETRIES = 3
BUFFER_MIB = 1.0
MOST_ANSWERED = 6_291_556  # bytes of a synchronous answer, as Lambda counts them
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 5.0
MIB = 1 << 20

_FUNCTION = "LambdaArn"
_ERRORS = {
    "Lambda.InvokeAccessDenied": "Access was denied. Ensure that the access policy allows access to the Lambda "
    "function.",
    "Lambda.ResourceNotFound": "The specified Lambda function does not exist. Use a different function that does "
    "exist.",
    "Lambda.InvokeLimitExceeded": "The Lambda concurrent execution limit is exceeded. Increase the concurrent "
    "execution limit.",
    "Lambda.FunctionTimedOut": "The Lambda function timed out. Increase the Timeout setting in the Lambda function.",
    "Lambda.FunctionError": "The Lambda function was successfully invoked but it returned an error result.",
    "Lambda.JsonProcessingException": "There was an error parsing returned records from the Lambda function. Ensure "
    "that the returned records follow the status model required by Amazon Data Firehose.",
    "Lambda.DuplicatedRecordId": "Multiple records were returned with the same record ID. Ensure that the Lambda "
    "function returns unique record IDs for each record.",
    "Lambda.MissingRecordId": "One or more record IDs were not returned. Ensure that the Lambda function returns all "
    "received record IDs.",
    "Lambda.ProcessingFailedStatus": "ProcessingFailed status set for record",
}
_KEYS_FAILED = "DynamicPartitioning.MetadataExtractionFailed"
_LAMBDA_KEYS = re.compile(r"!\{partitionKeyFromLambda:([^}]*)\}")


class _CallError(Exception):
    """The function did not answer as it must; the first argument is Firehose's code, the second whether to retry."""


class EndedError(Exception):
    """The platform ends before the function has answered."""


def processors(config: Description, kind: str) -> list[dict[str, str]]:
    """Parameters of a destination's processors of this type (Lambda, MetadataExtraction, AppendDelimiterToRecord)."""
    processing = config.get("ProcessingConfiguration") or {}
    found = processing.get("Processors") or [] if is_on(processing) else []
    return [
        {each["ParameterName"]: str(each["ParameterValue"]) for each in processor.get("Parameters") or []}
        for processor in found
        if processor.get("Type") == kind
    ]


def is_partitioned(config: Description) -> bool:
    """Whether a destination sorts its records by keys of their own."""
    return is_on(config.get("DynamicPartitioningConfiguration") or {"Enabled": False})


def batches(config: Description, records: Sequence[Record]) -> Iterator[list[Record]]:
    """The records in their order, as many at a time as one call of the function takes; all of them without one."""
    sizes = [float(each.get("BufferSizeInMBs", BUFFER_MIB)) for each in processors(config, "Lambda")]
    most = int(min(sizes) * MIB) if sizes else sum(len(record.data) for record in records) + 1
    batch: list[Record] = []
    for record in records:
        if batch and sum(len(each.data) for each in batch) + len(record.data) > most:
            yield batch
            batch = []
        batch.append(record)
    if batch:
        yield batch


def processed(
    stream: Description, config: Description, records: Sequence[Record], wait: Wait
) -> tuple[list[Record], list[Failed]]:
    """What is to be delivered of one batch and where, and what failed; dropped records are in neither.

    `wait` pauses for seconds and says whether the platform ends meanwhile. Raises EndedError when it does.
    """
    came = {record.id: record for record in records}
    left, failed = list(records), list[Failed]()
    for parameters in processors(config, "Lambda"):
        left, more = _transformed(stream, config, parameters, left, wait)
        failed += more
    if is_partitioned(config):
        left, more = _keyed(config, left)
        failed += more
    if processors(config, "AppendDelimiterToRecord"):
        left = [record._replace(data=record.data + b"\n") for record in left]
    return left, [failure._replace(record=came[failure.record.id]) for failure in failed]


def _transformed(
    stream: Description, config: Description, parameters: dict[str, str], records: list[Record], wait: Wait
) -> tuple[list[Record], list[Failed]]:
    """Calls the function until it answers or its tries are up."""
    function, retries = parameters.get(_FUNCTION, ""), int(parameters.get("NumberOfRetries", RETRIES))
    for attempt in itertools.count(1) if records else ():
        began, code, final = time.time(), "", False
        try:
            kept, failed = _answered(records, _called(stream, config, function, records), function, attempt)
        except _CallError as error:
            code, final = error.args
        dimensions = {"DeliveryStreamName": stream["name"]}
        measured = (
            ("ExecuteProcessing.Duration", "Milliseconds", (time.time() - began) * 1000),
            ("ExecuteProcessing.Success", "None", float(not code)),
            ("SucceedProcessing.Records", "Count", 0.0 if code else float(len(records) - len(failed))),
        )
        for name, unit, value in measured:
            metrics.record(metrics.Metric("AWS/Firehose", name, dimensions, unit), [value])
        if not code:
            return kept, failed
        if wait(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1)) if attempt <= retries and not final else 0):
            raise EndedError
        if final or attempt > retries:
            return [], [Failed(record, code, _ERRORS[code], attempt, function) for record in records]
    return [], []


def _called(stream: Description, config: Description, function: str, records: list[Record]) -> Any:
    """The function's answer to one call. Raises _CallError."""
    if not grants.allowed(config.get("RoleARN", ""), "lambda:InvokeFunction", function, "firehose"):
        raise _CallError("Lambda.InvokeAccessDenied", False)
    found, _ = lambda_svc._get_func_record_for_qualifier(*lambda_svc._resolve_name_and_qualifier(function))
    if found is None:
        raise _CallError("Lambda.ResourceNotFound", False)
    event = {
        "invocationId": str(uuid.uuid4()),
        "deliveryStreamArn": stream["arn"],
        "region": get_region(),
        "records": [
            {
                "recordId": record.id,
                "approximateArrivalTimestamp": int(record.arrived * 1000),
                "data": base64.b64encode(record.data).decode(),
            }
            for record in records
        ],
    }
    result = lambda_svc._execute_function(found, event)
    body = result.get("body")
    if result.get("throttle"):
        raise _CallError("Lambda.InvokeLimitExceeded", False)
    if result.get("error"):
        timed_out = isinstance(body, dict) and body.get("errorType") == "Sandbox.Timedout"
        raise _CallError("Lambda.FunctionTimedOut" if timed_out else "Lambda.FunctionError", False)
    text = body if isinstance(body, str) else json.dumps(body)
    if len(text.encode()) > MOST_ANSWERED:
        raise _CallError("Lambda.FunctionError", False)
    return json.loads(text) if isinstance(body, str) and body else body


def _answered(records: list[Record], answer: Any, function: str, attempt: int) -> tuple[list[Record], list[Failed]]:
    """(records to go on with, failed ones) of an answer. Raises _CallError when it is not as Firehose wants it."""
    try:
        found = {each["recordId"]: each for each in answer["records"]}
        results = [found[record.id]["result"] for record in records if record.id in found]
        datas = {
            name: base64.b64decode(each["data"], validate=True)
            for name, each in found.items()
            if each["result"] == "Ok"
        }
        keys = {name: (each.get("metadata") or {}).get("partitionKeys") or {} for name, each in found.items()}
        strings = {name: {str(key): str(value) for key, value in each.items()} for name, each in keys.items()}
    except (TypeError, KeyError, AttributeError, binascii.Error):
        raise _CallError("Lambda.JsonProcessingException", True) from None
    if len(found) < len(answer["records"]):
        raise _CallError("Lambda.DuplicatedRecordId", True)
    if any(record.id not in found for record in records):
        raise _CallError("Lambda.MissingRecordId", True)
    if not {"Ok", "Dropped", "ProcessingFailed"}.issuperset(results):
        raise _CallError("Lambda.JsonProcessingException", True)
    code = "Lambda.ProcessingFailedStatus"
    return [
        record._replace(data=datas[record.id], by_function=strings[record.id])
        for record in records
        if record.id in datas
    ], [
        Failed(record, code, _ERRORS[code], attempt, function)
        for record, result in zip(records, results, strict=True)
        if result == "ProcessingFailed"
    ]


def _keyed(config: Description, records: list[Record]) -> tuple[list[Record], list[Failed]]:
    """The records with all partition keys of the prefix, and those that lack one."""
    wanted = set(_LAMBDA_KEYS.findall(config.get("Prefix") or ""))
    keyed, failed = [], []
    for record in records:
        try:
            found = firehose._metadata_extraction_keys(config, record.data) or {}
        except firehose._DeliveryError as error:
            failed.append(Failed(record, _KEYS_FAILED, error.message))
            continue
        if missing := sorted(name for name in wanted if not record.by_function.get(name)):
            message = f"Partition keys missing in the function's answer: {', '.join(missing)}"
            failed.append(Failed(record, _KEYS_FAILED, message))
        else:
            keyed.append(record._replace(by_query=found))
    return keyed, failed
