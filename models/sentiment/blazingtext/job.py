"""(bucket, role, region) -> the request of a BlazingText training job, for boto3's create_training_job.

    python -m models.sentiment.blazingtext.job --bucket B --role ARN --region eu-west-1 > job.json
    aws sagemaker create-training-job --cli-input-json file://job.json

BlazingText runs only on AWS: the local platform has no image of it. Files: models.sentiment.blazingtext.posts.
https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext_hyperparameters.html
"""

import argparse
import json
from typing import Any

# Accounts of Amazon's algorithms by region: docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths
REGISTRIES = {
    "us-east-1": "811284229777", "us-east-2": "825641698319", "us-west-1": "632365934929", "us-west-2": "433757028032",
    "eu-west-1": "685385470294", "eu-west-2": "644912444149", "eu-central-1": "813361260812",
    "ap-northeast-1": "501404015308", "ap-southeast-1": "475088953585", "ap-southeast-2": "544295431143",
}  # fmt: skip
INSTANCE = "ml.c5.2xlarge"
HYPERPARAMETERS = {
    "mode": "supervised", "epochs": 10, "min_epochs": 3, "patience": 3, "early_stopping": True, "learning_rate": 0.05,
    "min_count": 2, "word_ngrams": 2, "vector_dim": 64, "buckets": 2_000_000,
}  # fmt: skip
"""Words and pairs of words; ended by the validation file."""
HOUR_S = 3600


def training_job(name: str, bucket: str, prefix: str, role: str, region: str) -> dict[str, Any]:
    """train.txt and validation.txt under s3://bucket/prefix/ -> model.tar.gz there. Raises KeyError for the region."""

    def channel(of: str, file: str) -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{prefix}/{file}",
                  "S3DataDistributionType": "FullyReplicated"}  # fmt: skip
        return {"ChannelName": of, "ContentType": "text/plain", "DataSource": {"S3DataSource": source}}

    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": f"{REGISTRIES[region]}.dkr.ecr.{region}.amazonaws.com/blazingtext:1",
            "TrainingInputMode": "File",
        },
        "RoleArn": role,
        "InputDataConfig": [channel("train", "train.txt"), channel("validation", "validation.txt")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/{prefix}/output/"},
        "ResourceConfig": {"InstanceType": INSTANCE, "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": HOUR_S},
        # SageMaker takes texts only, and its algorithms read True and False as Python writes them.
        "HyperParameters": {key: str(value) for key, value in HYPERPARAMETERS.items()},
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--prefix", default="blazingtext")
    parser.add_argument("--role", required=True)
    parser.add_argument("--region", default="us-east-1", choices=sorted(REGISTRIES))
    parser.add_argument("--name", default="cuatro-sentiment-blazingtext")
    given = parser.parse_args()
    found = training_job(given.name, given.bucket, given.prefix, given.role, given.region)
    print(json.dumps(found, indent=2))  # noqa: T201 - the command's answer


if __name__ == "__main__":
    main()
