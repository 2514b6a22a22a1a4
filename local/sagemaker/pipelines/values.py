"""(execution, what its steps gave) -> the value of each reference, and the JSON documents of its property files."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from local.aws.store import Record
from local.sagemaker.pipelines.definition import Definition
from local.sagemaker.pipelines.references import Reference, Source, Undefined, at

Properties = dict[str, dict[str, Any]]


def source(execution: Record, definition: Definition, properties: Properties, clients: Callable[[str], Any]) -> Source:
    """Where references of an execution get their values. `properties` is of the steps that have succeeded."""
    variables = _variables(execution)

    def value(reference: Reference) -> Any:
        if reference.scope == "Parameters":
            return execution["_values"][reference.name]
        if reference.scope == "Execution":
            return variables[reference.name]()
        if reference.name not in properties:
            raise Undefined(f"{reference.text} is undefined: step {reference.name} has not run.")
        return at(properties[reference.name], reference.path, reference.text)

    def document(wanted: Reference | str) -> Any:
        uri = wanted if isinstance(wanted, str) else _property_file(definition, properties, wanted)
        return _read(clients("s3"), uri)

    return Source(value, document)


def _variables(execution: Record) -> dict[str, Callable[[], str]]:
    return {
        "PipelineName": lambda: str(execution["_pipeline"]),
        "PipelineArn": lambda: str(execution["PipelineArn"]),
        "PipelineExecutionId": lambda: str(execution["_id"]),
        "PipelineExecutionArn": lambda: str(execution["PipelineExecutionArn"]),
        "StartDateTime": lambda: _written(execution["CreationTime"]),
        "CurrentDateTime": lambda: _written(time.time()),
    }


def _written(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")


def _property_file(definition: Definition, properties: Properties, reference: Reference) -> str:
    """S3 URI of a property file: a file of one of the step's outputs."""
    file = definition.steps[reference.name].property_files[str(reference.property_file)]
    path = ("ProcessingOutputConfig", "Outputs", file["OutputName"], "S3Output", "S3Uri")
    folder = str(at(properties.get(reference.name, {}), path, reference.text))
    return f"{folder.rstrip('/')}/{file['FilePath'].lstrip('/')}"


def _read(s3: Any, uri: str) -> Any:
    where = urlsplit(uri)
    if where.scheme != "s3":
        raise Undefined(f"{uri} is not an S3 URI, so there is no JSON to read.")
    try:
        body = s3.get_object(Bucket=where.netloc, Key=where.path.lstrip("/"))["Body"].read()
        return json.loads(body)
    except (ClientError, BotoCoreError) as error:
        raise Undefined(f"{uri} cannot be read as a property file: {error}") from error
    except ValueError as error:
        raise Undefined(f"{uri} is not JSON: {error}") from error
