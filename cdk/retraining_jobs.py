"""A step of a SageMaker Pipeline that runs a container: its job, where its data come from and go to, what is retried.

Values that are known only while a pipeline runs are {"Get": ...} references.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cdk.retraining import Parameters, Recipe

Json = dict[str, Any]

_PROCESSING = "/opt/ml/processing"
# What the service itself may fail at: tried again. What our code fails at is not.
RETRIES: list[Json] = [
    {
        "ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"],
        "IntervalSeconds": 10,
        "BackoffRate": 2.0,
        "MaxAttempts": 3,
    }
]


@dataclass(frozen=True)
class Made:
    """What the definition is about. `lake` is s3://<bucket>/<pipeline>; built_in_image: of the recipe's, if any."""

    pipeline: str
    recipe: Recipe
    lake: str
    image: str
    job_role: str
    champion: str
    group: str
    instance_type: str
    parameters: Parameters
    built_in_image: str = ""
    longest_s: int = 3600


def get(reference: str) -> Json:
    return {"Get": reference}


def text(*values: Any, on: str = "") -> Json:
    """Values as one text; a number must be in one, where a text is expected."""
    return {"Std:Join": {"On": on, "Values": list(values)}}


def parameter(name: str) -> Json:
    return text(get(f"Parameters.{name}"))


def found(step: str, file: str, path: str) -> Json:
    """A value in the JSON that a step wrote."""
    return {"Std:JsonGet": {"PropertyFile": get(f"Steps.{step}.PropertyFiles.{file}"), "Path": path}}


def output_of(step: str, output: str) -> Json:
    return get(f"Steps.{step}.ProcessingOutputConfig.Outputs['{output}'].S3Output.S3Uri")


def processing(
    made: Made,
    name: str,
    *,
    module: str,
    outputs: tuple[str, ...],
    files: Mapping[str, tuple[str, str]],
    isolated: bool,
    arguments: list[Any] | None = None,
    inputs: Mapping[str, Json] | None = None,
    folder: str = "training",
) -> Json:
    """Runs models.<pipeline>.<module>. folder: of the lake, where its outputs go."""
    specification: Json = {
        "ImageUri": made.image,
        "ContainerEntrypoint": ["python", "-m", f"models.{made.pipeline}.{module}"],
    }
    if arguments:
        specification["ContainerArguments"] = arguments
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": {
            "AppSpecification": specification,
            "RoleArn": made.job_role,
            "Environment": {"CUATRO_MODEL": made.pipeline},
            "ProcessingInputs": [
                {
                    "InputName": each,
                    "AppManaged": False,
                    "S3Input": {
                        "S3Uri": source,
                        "LocalPath": f"{_PROCESSING}/{each}",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                        "S3DataDistributionType": "FullyReplicated",
                    },
                }
                for each, source in (inputs or {}).items()
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": each,
                        "AppManaged": False,
                        "S3Output": {
                            "S3Uri": text(f"{made.lake}/{folder}", get("Execution.PipelineExecutionId"), each, on="/"),
                            "LocalPath": f"{_PROCESSING}/{each}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                    for each in outputs
                ]
            },
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": made.instance_type, "VolumeSizeInGB": 10}
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": made.longest_s},
            "NetworkConfig": {"EnableNetworkIsolation": isolated},
        },
        "PropertyFiles": [
            {"PropertyFileName": each, "OutputName": output, "FilePath": path} for each, (output, path) in files.items()
        ],
        "RetryPolicies": RETRIES,
    }
