"""(lake, image, roles, defaults) -> a SageMaker Pipeline: find champion, build set, train, evaluate, gate, register.

The format is AWS's JSON of 2020-12-01. Values that are known only while a pipeline runs are {"Get": ...} references.
"""

from cdk.retraining import Condition
from cdk.retraining_jobs import Json, Made, found, get, output_of, parameter, processing, text
from cdk.retraining_training import archive, build_training_set, training


def definition(made: Made) -> Json:
    """The definition. Steps: FindChampion, BuildTrainingSet, Train (Convert), Evaluate, Gate, Register, Refused."""
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [
            {"Name": name, "Type": kind, "DefaultValue": default} for name, (kind, default) in made.parameters.items()
        ],
        "Steps": [
            _find_champion(made),
            build_training_set(made),
            *training(made, _champion("champion_uri")),
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


def _evaluate(made: Made) -> Json:
    return processing(
        made, "Evaluate", module="gate",
        inputs={
            "champion": _champion("champion_uri"),
            "challenger": archive(made),
            "evaluate": output_of("BuildTrainingSet", "evaluate"),
        },
        outputs=("evaluation",), files={"Evaluation": ("evaluation", "evaluation.json")}, isolated=True,
    )  # fmt: skip


def _gate(made: Made) -> Json:
    """All conditions of the recipe must hold."""
    return {
        "Name": "Gate",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [_condition(each) for each in made.recipe.conditions],
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


def _condition(wanted: Condition) -> Json:
    kinds = {"at least": "GreaterThanOrEqualTo", "at most": "LessThanOrEqualTo"}
    limit = wanted.limit
    right = get(f"Parameters.{limit}") if isinstance(limit, str) else limit
    return {"Type": kinds[wanted.holds], "LeftValue": _evaluated(wanted.path), "RightValue": right}


def _register(made: Made) -> Json:
    recipe = made.recipe
    figures = {name: text(_evaluated(f"challenger.{name}")) for name in (recipe.metric, *recipe.figures)}
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
                        "ModelDataUrl": archive(made),
                        "Environment": {"CUATRO_MODEL": made.pipeline},
                    }
                ],
                "SupportedContentTypes": [*recipe.requests],
                "SupportedResponseMIMETypes": [*recipe.answers],
                "SupportedRealtimeInferenceInstanceTypes": [made.instance_type],
                "SupportedTransformInstanceTypes": [made.instance_type],
            },
            "CustomerMetadataProperties": {
                "version": text(_evaluated("challenger.version")),
                "model_sha256": text(_evaluated("challenger.sha256")),
                "feature_set": text(_evaluated("challenger.feature_set")),
                **figures,
                "metric": recipe.metric,  # by which people compare versions; `gain` is of it
                "gain": text(_evaluated(f"gain.{recipe.metric}")),
                "data_hash": text(found("BuildTrainingSet", "Summary", "data_hash")),
                "code_version": parameter("CodeVersion"),
                "reason": parameter("Reason"),
                "champion_version": _champion("champion_version"),
            },
        },
    }
