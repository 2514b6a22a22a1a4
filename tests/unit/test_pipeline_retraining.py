"""The retraining pipeline that CDK deploys is one that the service takes: every reference and type in it fits."""

import json

from cdk.retraining import Retraining
from cdk.retraining_definition import definition
from cdk.retraining_jobs import Made
from local.sagemaker.pipelines.definition import parse
from local.sagemaker.pipelines.parameters import assigned
from local.sagemaker.pipelines.validation import check

ROLE = "arn:aws:iam::000000000000:role/jobs"


def test_the_deployed_definition_is_taken_and_runs_in_this_order() -> None:
    made = Made(
        pipeline="fraud",
        lake="s3://lake/fraud",
        image="000000000000.dkr.ecr.us-east-1.amazonaws.com/cuatro-models:local",
        job_role=ROLE,
        champion="arn:aws:lambda:us-east-1:000000000000:function:champion",
        group="fraud",
        instance_type="ml.m5.large",
        parameters=Retraining().parameters("0123456789ab"),
    )
    found = parse(json.dumps(definition(made)))
    check(found)
    assert assigned(found.parameters, [])["CodeVersion"] == "0123456789ab"
    assert {name: set(step.needs) for name, step in found.steps.items()} == {
        "FindChampion": set(),
        "BuildTrainingSet": set(),
        "Train": {"FindChampion", "BuildTrainingSet"},
        "Evaluate": {"FindChampion", "BuildTrainingSet", "Train"},
        "Gate": {"Evaluate"},
        "Register": {"Gate", "Evaluate", "Train", "BuildTrainingSet", "FindChampion"},
        "Refused": {"Gate", "Evaluate"},
    }
