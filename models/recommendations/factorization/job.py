"""Interactions -> SageMaker's built-in Factorization Machines -> model.onnx, metrics.json, golden.json.

    python -m models.recommendations.factorization.job --interactions FILE --bucket BUCKET --role ARN --out DIR
    python -m models.recommendations.factorization.job --interactions FILE --archive model.tar.gz --out DIR

The first encodes the rows, puts them into the bucket, runs a training job and converts what it leaves; the second
converts and measures what another job left for the same interactions. AWS_ENDPOINT_URL sends it all to the local
platform, where `algorithm` stands for AWS's image.
"""

import argparse
import io
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from scipy import sparse

from models.recommendations import data
from models.recommendations.data import Held, Histories
from models.recommendations.factorization import recordio
from models.recommendations.factorization.convert import Told, converted, exact
from models.recommendations.factorization.encoding import FADE, encoded
from models.recommendations.factorization.image import image_uri
from models.recommendations.factorization.measure import figures
from models.recommendations.factorization.parameters import Floats, Parameters, unpacked
from models.recommendations.fitting import save

log = logging.getLogger(__name__)

PREFIX = "recommendations/factorization"
EVERY_S, PATIENCE_S = 5.0, 3600
ENDED = {"Completed", "Failed", "Stopped"}


class Settings(NamedTuple):
    """Where the job runs. hyperparameters: SageMaker's names."""

    bucket: str
    role: str
    instance_type: str
    hyperparameters: dict[str, str]


def definition(name: str, settings: Settings, image: str, width: int) -> dict[str, Any]:
    """CreateTrainingJob's request. width: of the rows, twice the number of items."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": settings.role,
        "HyperParameters": {
            "feature_dim": str(width), "predictor_type": "binary_classifier", **settings.hyperparameters,
        },
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "application/x-recordio-protobuf",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{settings.bucket}/{PREFIX}/{name}/train/",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{settings.bucket}/{PREFIX}/{name}/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": settings.instance_type, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": PATIENCE_S},
    }  # fmt: skip


def run(rows: sparse.csr_matrix, labels: Floats, settings: Settings, name: str, wait: Callable[[float], None]) -> bytes:
    """The archive that the job left. Raises RuntimeError with SageMaker's reason when it failed."""
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    content = io.BytesIO()
    recordio.write(content, rows, labels)
    s3.put_object(Bucket=settings.bucket, Key=f"{PREFIX}/{name}/train/rows.pbr", Body=content.getvalue())
    log.info("%d rows, %.1f MB of recordIO-protobuf; training job %s", len(labels), content.tell() / 1e6, name)
    image = image_uri(sagemaker.meta.region_name)
    sagemaker.create_training_job(**definition(name, settings, image, rows.shape[1]))
    told, deadline = "", time.monotonic() + PATIENCE_S
    while True:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        status = job["TrainingJobStatus"]
        if (now := f"{status}: {job.get('SecondaryStatus', '')}") != told:
            told = now
            log.info("%s", told)
        if status in ENDED:
            break
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} did not end within {PATIENCE_S} s; it goes on, see the SageMaker console")
        wait(EVERY_S)
    if status != "Completed":
        raise RuntimeError(f"{name}: {job.get('FailureReason') or status}")
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    archive: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return archive


def write(out: Path, model: Parameters, train: Histories, held: Held, told: Told) -> None:
    """Write model.onnx, metrics.json and golden.json; held: what the figures are of."""
    terms = "leave-one-out, trained with all but the last item"
    made = converted(model, train, told, {**figures(model, train, held, told.fade), "terms": terms})
    save(out, *made)
    print(json.dumps(made.metrics, indent=1))  # noqa: T201 - the command's answer


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m models.recommendations.factorization.job", description=str(__doc__).split("\n")[0]
    )
    parser.add_argument("--interactions", type=Path, required=True, metavar="FILE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--bucket", help="rows and model go there")
    parser.add_argument("--role", help="ARN of the job's role")
    parser.add_argument("--archive", type=Path, metavar="FILE", help="convert this model.tar.gz, run no job")
    parser.add_argument("--instance-type", default="ml.m5.large")
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--fade", type=float, default=FADE, help="recency: weight (1 + newer items) ** -fade")
    parser.add_argument("--seed", type=int, default=7, help="of the items that were not taken")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    if not given.archive and not (given.bucket and given.role):
        parser.error("give --bucket and --role for a training job, or --archive of one that has run")
    try:
        train, held = data.hold_back(data.histories(data.read(given.interactions)))
        if given.archive:
            archive = given.archive.read_bytes()
        else:
            rows, labels = encoded(train, given.fade, given.seed)
            chosen = {"num_factors": str(given.factors), "epochs": str(given.epochs)}
            settings = Settings(given.bucket, given.role, given.instance_type, chosen)
            archive = run(rows, labels, settings, f"factorization-{time.time_ns() // 1_000_000}", time.sleep)
        write(given.out, exact(unpacked(archive)), train, held, Told(given.fade, given.seed))
    except (OSError, ValueError, RuntimeError, BotoCoreError, ClientError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
