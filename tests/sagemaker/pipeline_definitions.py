"""Pipeline definitions for tests: small steps, and the whole shape of a retraining."""

import json
from typing import Any

IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/pipelines-test:1"
Json = dict[str, Any]


def definition(*steps: Json, parameters: list[Json] | None = None) -> str:
    """Text of a definition."""
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters or [], "Steps": list(steps)})


def get(reference: str) -> Json:
    return {"Get": reference}


def join(*values: Any, on: str = "") -> Json:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def json_get(step: str, file: str, path: str) -> Json:
    return {"Std:JsonGet": {"PropertyFile": get(f"Steps.{step}.PropertyFiles.{file}"), "Path": path}}


def parameter(name: str, kind: str = "String", default: Any = None, **more: Any) -> Json:
    return {"Name": name, "Type": kind, **({} if default is None else {"DefaultValue": default}), **more}


def fail(name: str, message: Any = "it must not be", **more: Any) -> Json:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **more}


def condition(name: str, *conditions: Json, yes: Any = (), no: Any = (), **more: Any) -> Json:
    arguments = {"Conditions": list(conditions), "IfSteps": list(yes), "ElseSteps": list(no)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **more}


def compare(kind: str, left: Any, right: Any) -> Json:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


def function(name: str, arn: Any, arguments: Json | None = None, outputs: Json | None = None, **more: Any) -> Json:
    """A Lambda step; outputs: name -> type."""
    declared = [{"OutputName": output, "OutputType": kind} for output, kind in (outputs or {}).items()]
    return {
        "Name": name, "Type": "Lambda", "FunctionArn": arn, "Arguments": arguments or {}, "OutputParameters": declared,
        **more,
    }  # fmt: skip


def processing(
    name: str,
    role: str,
    command: list[str],
    *,
    arguments: list[Any] | None = None,
    inputs: dict[str, Any] | None = None,
    outputs: dict[str, Any] | None = None,
    files: dict[str, tuple[str, str]] | None = None,
    **more: Any,
) -> Json:
    """A Processing step. inputs and outputs: name -> S3 URI; files: property file -> (output, path)."""
    step: Json = {
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": command},
        "RoleArn": role,
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 1}
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }
    if arguments:
        step["AppSpecification"]["ContainerArguments"] = arguments
    if inputs:
        step["ProcessingInputs"] = [
            {"InputName": key, "S3Input": {
                "S3Uri": uri, "LocalPath": f"/opt/ml/processing/{key}", "S3DataType": "S3Prefix", "S3InputMode": "File",
            }}
            for key, uri in inputs.items()
        ]  # fmt: skip
    if outputs:
        step["ProcessingOutputConfig"] = {"Outputs": [
            {"OutputName": key, "S3Output": {
                "S3Uri": uri, "LocalPath": f"/opt/ml/processing/{key}", "S3UploadMode": "EndOfJob",
            }}
            for key, uri in outputs.items()
        ]}  # fmt: skip
    listed = [
        {"PropertyFileName": key, "OutputName": output, "FilePath": path}
        for key, (output, path) in (files or {}).items()
    ]
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": step,
        **({"PropertyFiles": listed} if listed else {}),
        **more,
    }


def training(name: str, role: str, output: Any, *, train: Any = None, hyperparameters: Any = None, **more: Any) -> Json:
    """A Training step with the channel `train`."""
    arguments: Json = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": role,
        "OutputDataConfig": {"S3OutputPath": output},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }
    if train is not None:
        source = {"S3DataType": "S3Prefix", "S3Uri": train, "S3DataDistributionType": "FullyReplicated"}
        arguments["InputDataConfig"] = [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}]
    if hyperparameters:
        arguments["HyperParameters"] = hyperparameters
    return {"Name": name, "Type": "Training", "Arguments": arguments, **more}


def model(name: str, role: str, image: str, artefact: Any) -> Json:
    """A Model step."""
    container = {"Image": image, "ModelDataUrl": artefact}
    return {"Name": name, "Type": "Model", "Arguments": {"PrimaryContainer": container, "ExecutionRoleArn": role}}


def transform(name: str, model_name: Any, source: str, output: str) -> Json:
    """A Transform step, a line a request."""
    data = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}}
    arguments = {
        "ModelName": model_name,
        "TransformInput": {"DataSource": data, "ContentType": "text/csv", "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": output, "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    return {"Name": name, "Type": "Transform", "Arguments": arguments}


def register(name: str, group: str, model: Any, *, approval: Any = "Approved", metadata: Any = None) -> Json:
    """A RegisterModel step."""
    arguments: Json = {
        "ModelPackageGroupName": group,
        "ModelApprovalStatus": approval,
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": model}],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    }
    if metadata:
        arguments["CustomerMetadataProperties"] = metadata
    return {"Name": name, "Type": "RegisterModel", "Arguments": arguments}
