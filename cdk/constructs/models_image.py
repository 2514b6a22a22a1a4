"""The models' container image, built by the CDK CLI where one is (Docker, Finch, Podman), and who may pull it."""

from aws_cdk import Aws, Stack
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.config import Target
from cdk.constructs.findings import acknowledge
from cdk.constructs.wildcards import allow_begun, everywhere
from cdk.images import DOCKERFILE, image_context


class ModelsImage(Construct):
    """`uri` for SageMaker, `code_version` of what is in it. A target may name an image that is there already."""

    def __init__(self, scope: Construct, name: str, *, target: Target) -> None:
        super().__init__(scope, name)
        context, self.code_version = image_context()
        if target.models_image:
            repository = target.models_image.partition(":")[0]
            self.uri = f"{Aws.ACCOUNT_ID}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/{target.models_image}"
            self._repository = Stack.of(self).format_arn(service="ecr", resource="repository", resource_name=repository)
        else:
            asset = ecr_assets.DockerImageAsset(
                self,
                "Image",
                directory=str(context),
                file=DOCKERFILE,
                platform=ecr_assets.Platform.LINUX_AMD64,
                asset_name="cuatro-models",
            )
            self.uri = asset.image_uri
            self._repository = asset.repository.repository_arn

    def role(self, scope: Construct, name: str, purpose: str, *logs: str) -> iam.Role:
        """A role for SageMaker with what it asks of each: pull the image, write metrics and the log groups
        /aws/sagemaker/<each of logs>. Data is granted by whoever owns it."""
        role = iam.Role(
            scope,
            name,
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            description=purpose,
            # Inline, and the same in each role: where the image comes from differs between targets.
            inline_policies={"Image": iam.PolicyDocument(statements=[*self.pulling(), _measuring()])},
        )
        acknowledge(role, "AwsSolutions-IAM5[Resource::*]", "ECR's token and CloudWatch's metrics have no resource.")
        for group in logs:
            allow_begun(
                role,
                ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
                "logs",
                f"log-group:/aws/sagemaker/{group}:*",
                "SageMaker names log streams after jobs and instances, in log groups of its own.",
            )
        return role

    def pulling(self) -> list[iam.PolicyStatement]:
        """What pulling the image takes."""
        layers = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
        return [
            iam.PolicyStatement(actions=list(layers), resources=[self._repository]),
            everywhere(["ecr:GetAuthorizationToken"]),
        ]


def _measuring() -> iam.PolicyStatement:
    return everywhere(["cloudwatch:PutMetricData"], {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}})
