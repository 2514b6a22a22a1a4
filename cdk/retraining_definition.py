"""(lake, image, roles, defaults) -> a SageMaker Pipeline: find champion, build set, train, evaluate, gate, register.

The format is AWS's JSON of 2020-12-01. Values that are known only while a pipeline runs are {"Get": ...} references.
"""

from typing import Any

from cdk.retraining_jobs import Json, Made, found, get, output_of, parameter, processing, text, train


def definition(made: Made) -> Json:
    """The definition. Steps: FindChampion, BuildTrainingSet, Train, Evaluate, Gate, Register, Refused."""
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [
            {"Name": name, "Type": kind, "DefaultValue": default} for name, (kind, default) in made.parameters.items()
        ],
        "Steps": [
            _find_champion(made),
            _build_training_set(made),
            train(made, _champion("champion_uri")),
            _evaluate(made),
            _gate(made),
        ],
    }


def _evaluated(path: str) -> Json:
    return found("Evaluate", "Evaluation", path)


def _champion(name: str) -> Json:
    return get(f"Steps.FindChampion.OutputParameters['{name}']")


def _find_champion(made: Made) -> Json:
    outputs = ("champion_uri", "champion_version")
    return {
        "Name": "FindChampion",
        "Type": "Lambda",
        "FunctionArn": made.champion,
        "Arguments": {},
        "OutputParameters": [{"OutputName": name, "OutputType": "String"} for name in outputs],
    }


def _build_training_set(made: Made) -> Json:
    arguments: list[Any] = ["--lake", made.lake]
    for option, name in {
        "--as-of": "AsOf", "--train-days": "TrainDays", "--delay-days": "DelayDays", "--evaluate-days": "EvaluateDays",
    }.items():  # fmt: skip
        arguments += [option, parameter(name)]
    return processing(
        made, "BuildTrainingSet", module="dataset", arguments=arguments,
        outputs=("train", "evaluate", "summary"), files={"Summary": ("summary", "summary.json")},
        isolated=False,  # it reads from the lake the days that it needs, instead of all of them as an input
    )  # fmt: skip


def _evaluate(made: Made) -> Json:
    return processing(
        made, "Evaluate", module="gate",
        inputs={
            "champion": _champion("champion_uri"),
            "challenger": get("Steps.Train.ModelArtifacts.S3ModelArtifacts"),
            "evaluate": output_of("BuildTrainingSet", "evaluate"),
        },
        outputs=("evaluation",), files={"Evaluation": ("evaluation", "evaluation.json")}, isolated=True,
    )  # fmt: skip


def _gate(made: Made) -> Json:
    """All must hold: better by a margin that is no luck, no worse in calibration, latency and any slice, and sane."""

    def condition(kind: str, path: str, limit: Any) -> Json:
        return {"Type": f"{kind}OrEqualTo", "LeftValue": _evaluated(path), "RightValue": limit}

    return {
        "Name": "Gate",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [
                condition("GreaterThan", "gain.average_precision", get("Parameters.MinGain")),
                condition("GreaterThan", "gain.lower", 0),
                condition("LessThan", "gain.ece", get("Parameters.MaxEceIncrease")),
                condition("LessThan", "gain.latency_ratio", get("Parameters.MaxLatencyRatio")),
                condition("LessThan", "gain.worst_slice", get("Parameters.MaxSliceLoss")),
                condition("GreaterThan", "sane", 1),
            ],
            "IfSteps": [_register(made)],
            "ElseSteps": [
                {
                    "Name": "Refused",
                    "Type": "Fail",
                    "Arguments": {"ErrorMessage": text("The challenger was refused: ", _evaluated("summary"))},
                }
            ],
        },
    }


def _register(made: Made) -> Json:
    types = ["application/json", "application/jsonlines", "text/csv"]
    return {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": made.group,
            "ModelApprovalStatus": get("Parameters.Approval"),
            "ModelMetrics": {
                "ModelQuality": {
                    "Statistics": {
                        "ContentType": "application/json",
                        "S3Uri": text(output_of("Evaluate", "evaluation"), "evaluation.json", on="/"),
                    }
                }
            },
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": made.image,
                        "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts"),
                        "Environment": {"CUATRO_MODEL": made.pipeline},
                    }
                ],
                "SupportedContentTypes": [*types, "application/x-npy"],
                "SupportedResponseMIMETypes": types,
                "SupportedRealtimeInferenceInstanceTypes": [made.instance_type],
                "SupportedTransformInstanceTypes": [made.instance_type],
            },
            "CustomerMetadataProperties": {
                "version": text(_evaluated("challenger.version")),
                "model_sha256": text(_evaluated("challenger.sha256")),
                "feature_set": text(_evaluated("challenger.feature_set")),
                "average_precision": text(_evaluated("challenger.average_precision")),
                "gain": text(_evaluated("gain.average_precision")),
                "data_hash": text(found("BuildTrainingSet", "Summary", "data_hash")),
                "code_version": parameter("CodeVersion"),
                "reason": parameter("Reason"),
                "champion_version": _champion("champion_version"),
            },
        },
    }
