"""This project's own container under the local SageMaker: `train` makes a model that `serve` answers with."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from functions.fraud.features import FEATURES
from local.platform.account import ACCOUNT, REGION
from models.fraud import training_set
from tests.checked import Aws, unique
from tests.sagemaker.training_jobs import ENDED, Training, channel
from tests.waiting import eventually

IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/cuatro-models:local"
ROWS = 400
DAY_S = 86400


def rows() -> pd.DataFrame:
    """Eight days of transactions; the first feature tells the frauds from the others, mostly."""
    random = np.random.default_rng(7)
    features = random.normal(size=(ROWS, len(FEATURES))).astype(np.float32)
    fraud = features[:, 0] + random.normal(scale=0.3, size=ROWS) > 1
    about = {
        "transaction_id": [f"t{i}" for i in range(ROWS)],
        "card_id": "c1",
        "terminal_id": "p1",
        "time": np.arange(ROWS) * (8 * DAY_S // ROWS),
        "channel": "chip",
        "outcome": "approve",
        "score": 0.1,
        "model_version": "before",
        "fraud": fraud,
    }
    return pd.concat([pd.DataFrame(about), pd.DataFrame(features, columns=list(FEATURES))], axis=1)


@pytest.fixture(scope="module")
def training(aws: Aws, role: str, bucket: str) -> Training:
    return Training(aws, IMAGE, role, bucket)


@pytest.fixture(scope="module")
def data(aws: Aws, bucket: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """S3 URI of a training set."""
    file: Path = tmp_path_factory.mktemp("data") / "train.parquet"
    training_set.write(rows(), file)
    prefix = f"training/{unique('set')}/"
    aws.client("s3").upload_file(str(file), bucket, f"{prefix}train.parquet")
    return f"s3://{bucket}/{prefix}"


def test_the_container_trains_and_what_it_made_scores(training: Training, data: str) -> None:
    job = training.run(
        HyperParameters={"seed": "7", "rounds": "3"},
        Environment={"CUATRO_MODEL": "fraud"},
        InputDataConfig=[channel("train", data)],
    )
    lines = training.lines(job["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", "\n".join([job.get("FailureReason", ""), *lines])
    assert any("average precision" in line for line in lines)
    s3, sagemaker, name = training.aws.client("s3"), training.sagemaker, unique("fraud")
    container = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=training.role)
    matrix = training_set.matrix(rows())[:3].tolist()
    body = "".join(f"{json.dumps({'features': row})}\n" for row in matrix)
    s3.put_object(Bucket=training.bucket, Key=f"{name}/rows.jsonl", Body=body)
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        BatchStrategy="SingleRecord",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{training.bucket}/{name}/"}},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        TransformOutput={
            "S3OutputPath": f"s3://{training.bucket}/{name}-scored",
            "AssembleWith": "Line",
            "Accept": "application/jsonlines",
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName=name)
        return found if found["TransformJobStatus"] in ENDED else None

    scored = eventually(ended, "the end of the transform job")
    assert scored["TransformJobStatus"] == "Completed", scored.get("FailureReason")
    written = s3.get_object(Bucket=training.bucket, Key=f"{name}-scored/rows.jsonl.out")["Body"].read().decode()
    scores = [json.loads(line)["score"] for line in written.splitlines()]
    assert len(scores) == len(matrix)
    assert all(0 <= score <= 1 for score in scores)
