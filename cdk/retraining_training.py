"""Lake -> training set -> the steps that leave a challenger's archive.

The models' container trains; or one of SageMaker's built-in algorithms does, and the models' container converts.
"""

from collections.abc import Mapping
from typing import Any

from cdk.retraining import BuiltIn
from cdk.retraining_jobs import RETRIES, Json, Made, found, get, output_of, parameter, processing, text

_TRAINED = "Steps.Train.ModelArtifacts.S3ModelArtifacts"
_ARCHIVE = "model.tar.gz"


def build_training_set(made: Made) -> Json:
    """Step BuildTrainingSet: outputs train, evaluate, summary, and rows for a built-in algorithm."""
    built_in = made.recipe.built_in
    options: list[Any] = ["--lake", made.lake]
    for option, name in made.recipe.dataset.items():
        options += [option, parameter(name)]
    return processing(
        made, "BuildTrainingSet", module=f"{built_in.package}.dataset" if built_in else "dataset", arguments=options,
        outputs=("train", "evaluate", "summary", *(["rows"] if built_in else [])),
        files={"Summary": ("summary", "summary.json")},
        isolated=False,  # it reads from the lake the days that it needs, instead of all of them as an input
    )  # fmt: skip


def training(made: Made, champion: Json) -> list[Json]:
    """Steps Train and, for a built-in algorithm, Convert. champion: where the live model's archive is, which ours may
    build upon."""
    built_in = made.recipe.built_in
    return [_own(made, champion)] if built_in is None else [_built_in(made, built_in), _convert(made, built_in)]


def archive(made: Made) -> Json:
    """Where the challenger's archive is, once it is trained."""
    return text(output_of("Convert", "model"), _ARCHIVE, on="/") if made.recipe.built_in else get(_TRAINED)


def _own(made: Made, champion: Json) -> Json:
    return _train(
        made, made.image, made.recipe.hyperparameters, {"data_hash": _summary("data_hash")},
        channels=[_channel("train", output_of("BuildTrainingSet", "train")), _channel("champion", champion)],
        output=f"{made.lake}/models/", environment={"CUATRO_MODEL": made.pipeline},
    )  # fmt: skip


def _built_in(made: Made, built_in: BuiltIn) -> Json:
    told = {name: text(_summary(path)) for name, path in built_in.told.items()}
    return _train(
        made, made.built_in_image, made.recipe.hyperparameters, {**built_in.fixed, **told},
        channels=[{**_channel("train", output_of("BuildTrainingSet", "rows")), "ContentType": built_in.content}],
        output=text(f"{made.lake}/training", get("Execution.PipelineExecutionId"), on="/"), environment={},
    )  # fmt: skip


def _convert(made: Made, built_in: BuiltIn) -> Json:
    sets = {name: output_of("BuildTrainingSet", name) for name in ("train", "evaluate", "summary")}
    return processing(
        made, "Convert", module=f"{built_in.package}.convert", inputs={"trained": get(_TRAINED), **sets},
        outputs=("model",), files={}, isolated=True, folder="models",
    )  # fmt: skip


def _train(
    made: Made,
    image: str,
    chosen: Mapping[str, str],
    more: Mapping[str, Any],
    *,
    channels: list[Json],
    output: Any,
    environment: Mapping[str, str],
) -> Json:
    """chosen: hyperparameter -> the pipeline's parameter."""
    return {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "RoleArn": made.job_role,
            "InputDataConfig": channels,
            "OutputDataConfig": {"S3OutputPath": output},
            "HyperParameters": {**{name: parameter(value) for name, value in chosen.items()}, **more},
            "Environment": environment,
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": made.instance_type, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": made.longest_s},
            "EnableNetworkIsolation": True,
        },
        "RetryPolicies": RETRIES,
    }


def _channel(name: str, source: Json) -> Json:
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": source,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }


def _summary(path: str) -> Json:
    return found("BuildTrainingSet", "Summary", path)
