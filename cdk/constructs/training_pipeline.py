"""Lake -> a SageMaker Pipeline that trains a challenger, gates it and registers it in a model package group."""

from collections.abc import Sequence

from aws_cdk import Aws, CfnMapping, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from cdk.config import Target
from cdk.constructs.lake import Lake
from cdk.constructs.models_image import ModelsImage
from cdk.constructs.suite_function import SuiteFunction
from cdk.constructs.wildcards import allow_begun
from cdk.retraining import BuiltIn, Retraining
from cdk.retraining_definition import definition
from cdk.retraining_jobs import Made

_NAMED_BY_PIPELINES = "SageMaker Pipelines names jobs after execution and step: pipelines-<execution>-<step>-<random>."
_NUMBERED = "SageMaker numbers the versions in the group."


class TrainingPipeline(Construct):
    """Named in lower case after the stack, for SageMaker's ARNs are in lower case and policies are not.

    The group outlives the stack where data do: CloudFormation cannot delete one that holds versions.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        lake: Lake,
        image: ModelsImage,
        shipped: s3_assets.Asset,
        champion: SuiteFunction,
        plan: Retraining,
        target: Target,
    ) -> None:
        super().__init__(scope, name)
        self.name = Stack.of(self).stack_name.lower()
        self.group = sagemaker.CfnModelPackageGroup(
            self,
            "Group",
            model_package_group_name=self.name,
            model_package_group_description=f"Versions of the {lake.pipeline} model",
        )
        self.group.apply_removal_policy(RemovalPolicy.RETAIN if target.retain_data else RemovalPolicy.DESTROY)
        jobs = self._job_role(lake, image, shipped, plan.recipe.reads)
        role = self._role(lake, jobs, champion)
        made = Made(
            pipeline=lake.pipeline,
            recipe=plan.recipe,
            lake=lake.uri(),
            image=image.uri,
            job_role=jobs.role_arn,
            champion=champion.function.function_arn,
            group=self.name,
            instance_type=plan.instance_type,
            parameters=plan.parameters(image.code_version),
            built_in_image=self._image(plan.recipe.built_in) if plan.recipe.built_in else "",
        )
        self.pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=self.name,
            pipeline_description=f"Trains a {lake.pipeline} model on the lake, and registers it when it is better",
            pipeline_definition={"PipelineDefinitionBody": Stack.of(self).to_json_string(definition(made))},
            role_arn=role.role_arn,
        )
        self.pipeline.node.add_dependency(role)

    def arn(self, kind: str, resource: str) -> str:
        """ARN of a SageMaker resource of this account."""
        return Stack.of(self).format_arn(service="sagemaker", resource=kind, resource_name=resource)

    def _image(self, built_in: BuiltIn) -> str:
        """Of the region that the stack is deployed to. Its jobs need no grant: AWS lets SageMaker pull it anywhere."""
        kept = CfnMapping(
            self, "BuiltIn", mapping={region: {"account": account} for region, account in built_in.accounts.items()}
        )
        account = kept.find_in_map(Aws.REGION, "account")
        return f"{account}.dkr.ecr.{Aws.REGION}.{Aws.URL_SUFFIX}/{built_in.image}"

    def allow_start(self, role: iam.Role) -> None:
        """Grant starting this pipeline and asking what became of its executions."""
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["sagemaker:StartPipelineExecution"], resources=[self.arn("pipeline", self.name)]
            )
        )
        allow_begun(
            role, ["sagemaker:DescribePipelineExecution"], "sagemaker", f"pipeline/{self.name}/execution/*",
            "SageMaker makes up the names of executions.",
        )  # fmt: skip

    def _job_role(self, lake: Lake, image: ModelsImage, shipped: s3_assets.Asset, reads: Sequence[str]) -> iam.Role:
        """Jobs read what the suite delivered, models and their own sets; they write sets and models."""
        role = image.role(self, "JobRole", f"{lake.pipeline}: training, processing", "TrainingJobs", "ProcessingJobs")
        lake.allow_read(role, *reads, "training", "models")
        lake.allow_write(role, "training", "models")
        allow_asset(role, shipped)
        # A processing job lists what it was told to fetch, also when that is one object.
        role.add_to_policy(iam.PolicyStatement(actions=["s3:ListBucket"], resources=[shipped.bucket.bucket_arn]))
        return role

    def _role(self, lake: Lake, jobs: iam.Role, champion: SuiteFunction) -> iam.Role:
        """The pipeline starts its jobs with the jobs' role, calls one function, reads JSON files, registers."""
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"),
            description=f"{lake.pipeline}: retraining pipeline",
        )
        for kind, job in (("processing-job", "ProcessingJob"), ("training-job", "TrainingJob")):
            allow_begun(
                role,
                ["sagemaker:AddTags", *(f"sagemaker:{verb}{job}" for verb in ("Create", "Describe", "Stop"))],
                "sagemaker",
                f"{kind}/pipelines-*",
                _NAMED_BY_PIPELINES,
            )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[jobs.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[champion.function.function_arn])
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["sagemaker:AddTags", "sagemaker:CreateModelPackageGroup"],
                resources=[self.arn("model-package-group", self.name)],
            )
        )
        allow_begun(
            role,
            ["sagemaker:AddTags", "sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage"],
            "sagemaker",
            f"model-package/{self.name}/*",
            _NUMBERED,
        )
        lake.allow(role, ["GetObject"], "training", "models")
        return role


def allow_asset(role: iam.Role, asset: s3_assets.Asset) -> None:
    """Grant reading one file of CDK's bucket of assets."""
    role.add_to_policy(
        iam.PolicyStatement(actions=["s3:GetObject"], resources=[asset.bucket.arn_for_objects(asset.s3_object_key)])
    )
