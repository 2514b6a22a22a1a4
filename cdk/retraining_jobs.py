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
_RETRIES: list[Json] = [
    {
        "ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"],
        "IntervalSeconds": 10,
        "BackoffRate": 2.0,
        "MaxAttempts": 3,
    }
]


@dataclass(frozen=True)
class Made:
    """What the definition is about. `lake` is s3://<bucket>/<pipeline>."""

    pipeline: str
    recipe: Recipe
    lake: str
    image: str
    job_role: str
    champion: str
    group: str
    instance_type: str
    parameters: Parameters
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


def train(made: Made, champion: Json) -> Json:
    """champion: where the live model's archive is, which the new model may be built upon."""
    return {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": made.image, "TrainingInputMode": "File"},
            "RoleArn": made.job_role,
            "InputDataConfig": [
                {
                    "ChannelName": name,
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": source,
                            "S3DataDistributionType": "FullyReplicated",
                        }
                    },
                }
                for name, source in (("train", output_of("BuildTrainingSet", "train")), ("champion", champion))
            ],
            "OutputDataConfig": {"S3OutputPath": f"{made.lake}/models/"},
            "HyperParameters": {
                **{name: parameter(value) for name, value in made.recipe.hyperparameters.items()},
                "data_hash": found("BuildTrainingSet", "Summary", "data_hash"),
            },
            "Environment": {"CUATRO_MODEL": made.pipeline},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": made.instance_type, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": made.longest_s},
            "EnableNetworkIsolation": True,
        },
        "RetryPolicies": _RETRIES,
    }


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
) -> Json:
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
                            "S3Uri": text(f"{made.lake}/training", get("Execution.PipelineExecutionId"), each, on="/"),
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
        "RetryPolicies": _RETRIES,
    }
