"""A pipeline's model -> what scores with it: a layer in the function, or a SageMaker endpoint; told by one address.

The function's code is the same for all four ways: it gets `uri` in MODEL_URI.
"""

from collections.abc import Callable
from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.artefact import compiled, shipped
from cdk.config import Serving
from cdk.constructs.alarms import alarm
from cdk.constructs.lake import Lake
from cdk.constructs.models_image import ModelsImage
from cdk.constructs.training_pipeline import allow_asset

_VARIANT = "live"
# Of what instances answer, the share that is written to the lake; and when a person must look at the latency.
_CAPTURED_PERCENT = 10
_SLOW_MS = 200
_Config = sagemaker.CfnEndpointConfig


@dataclass(frozen=True)
class Instances:
    """How many of which machines; another one when one answers more than `calls_a_minute`."""

    kind: str
    fewest: int
    most: int
    calls_a_minute: int


INSTANCES = {
    "realtime": Instances("ml.c6i.large", fewest=1, most=4, calls_a_minute=6_000),
    "inferentia": Instances("ml.inf2.xlarge", fewest=1, most=2, calls_a_minute=30_000),
    "gpu": Instances("ml.g4dn.xlarge", fewest=1, most=2, calls_a_minute=3_000),
}
MEMORY_MB = 2048
AT_ONCE = 20


class ModelEndpoint(Construct):
    """`layer` when the functions themselves score, `endpoint` otherwise; `allow` every role that scores.

    A deployment with another model or image makes a new configuration, which the endpoint takes up without failing
    requests. lake: where instances write a share of what they answer; None writes none, as for images of patients.
    gpu: `image` is one that computes on a GPU.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        pipeline: str,
        serving: Serving,
        layer: Callable[[], lambda_.ILayerVersion],
        image: Callable[[], ModelsImage],
        lake: Lake | None,
        tell: sns.ITopic,
        gpu: bool = False,
    ) -> None:
        super().__init__(scope, name)
        self.layer: lambda_.ILayerVersion | None = None
        self.endpoint: sagemaker.CfnEndpoint | None = None
        if serving == "lambda":
            self.layer = layer()
            self.uri = f"/opt/models/{pipeline}/model.onnx"
            return
        self._lake, self._tell = lake, tell
        instances = INSTANCES.get("gpu" if gpu else serving)
        model = self._model(pipeline, image(), neuron=serving == "inferentia", isolated=instances is not None)
        self.endpoint = self._endpoint(model, instances)
        self.uri = f"sagemaker:{self.endpoint.attr_endpoint_name}"
        if instances:
            self._scale(self.endpoint, instances)
        self._watch(self.endpoint, pipeline)

    def allow(self, role: iam.Role) -> None:
        """Grant scoring, where that takes a call."""
        if self.endpoint:
            role.add_to_policy(iam.PolicyStatement(actions=["sagemaker:InvokeEndpoint"], resources=[self.endpoint.ref]))

    def _model(self, pipeline: str, image: ModelsImage, *, neuron: bool, isolated: bool) -> sagemaker.CfnModel:
        """The image with the model's artefact. Serverless endpoints know no network isolation."""
        artefact = compiled(pipeline) if neuron else shipped(pipeline)
        asset = s3_assets.Asset(self, "Artefact", path=str(artefact.path))
        role = image.role(self, "Role", f"{pipeline}: serves the model", "Endpoints/*")
        allow_asset(role, asset)
        if isolated and self._lake:
            self._lake.allow_write(role, "captured")
        model = sagemaker.CfnModel(
            self,
            "Model",
            execution_role_arn=role.role_arn,
            enable_network_isolation=isolated,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image.uri,
                model_data_url=asset.s3_object_url,
                environment={"CUATRO_MODEL": pipeline},
            ),
        )
        model.node.add_dependency(role)  # SageMaker tries the role's grants when it makes the model
        return model

    def _endpoint(self, model: sagemaker.CfnModel, instances: Instances | None) -> sagemaker.CfnEndpoint:
        variant = _Config.ProductionVariantProperty(
            variant_name=_VARIANT,
            model_name=model.attr_model_name,
            initial_variant_weight=1,
            instance_type=instances.kind if instances else None,
            initial_instance_count=instances.fewest if instances else None,
            serverless_config=None
            if instances
            else _Config.ServerlessConfigProperty(memory_size_in_mb=MEMORY_MB, max_concurrency=AT_ONCE),
        )
        config = _Config(
            self,
            "Config",
            production_variants=[variant],
            # Which serverless endpoints have not.
            data_capture_config=self._capture(self._lake) if instances and self._lake else None,
        )
        endpoint = sagemaker.CfnEndpoint(self, "Endpoint", endpoint_config_name=config.attr_endpoint_config_name)
        if instances:  # how many instances there are is the scaling's business, not a deployment's
            endpoint.retain_all_variant_properties = True
        return endpoint

    def _capture(self, lake: Lake) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty:
        return _Config.DataCaptureConfigProperty(
            enable_capture=True,
            initial_sampling_percentage=_CAPTURED_PERCENT,
            destination_s3_uri=lake.uri("captured"),
            capture_options=[_Config.CaptureOptionProperty(capture_mode=mode) for mode in ("Input", "Output")],
            capture_content_type_header=_Config.CaptureContentTypeHeaderProperty(
                json_content_types=["application/json"]
            ),
        )

    def _scale(self, endpoint: sagemaker.CfnEndpoint, instances: Instances) -> None:
        dimension = "sagemaker:variant:DesiredInstanceCount"
        target = scaling.CfnScalableTarget(
            self,
            "Scalable",
            service_namespace="sagemaker",
            scalable_dimension=dimension,
            resource_id=f"endpoint/{endpoint.attr_endpoint_name}/variant/{_VARIANT}",
            min_capacity=instances.fewest,
            max_capacity=instances.most,
        )
        tracking = scaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty(
            target_value=instances.calls_a_minute,
            predefined_metric_specification=scaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
                predefined_metric_type="SageMakerVariantInvocationsPerInstance"
            ),
            scale_out_cooldown=60,
            scale_in_cooldown=300,
        )
        scaling.CfnScalingPolicy(
            self,
            "Scaling",
            policy_name=f"{Stack.of(self).stack_name}-{self.node.id}-calls",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=tracking,
        )

    def _watch(self, endpoint: sagemaker.CfnEndpoint, pipeline: str) -> None:
        """Alarms on failed and on slow invocations."""

        def metric(name: str, statistic: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/SageMaker", metric_name=name, statistic=statistic, period=Duration.minutes(5),
                dimensions_map={"EndpointName": endpoint.attr_endpoint_name, "VariantName": _VARIANT},
            )  # fmt: skip

        where = "Read its log: /aws/sagemaker/Endpoints"
        alarm(
            self, "Errors", metric("Invocation5XXErrors", "Sum"), at_least=1, tell=self._tell,
            means=f"The {pipeline} model fails behind its endpoint. {where}",
        )  # fmt: skip
        alarm(
            self, "Slow", metric("ModelLatency", "p99"), at_least=_SLOW_MS * 1000, tell=self._tell,
            means=f"The {pipeline} model takes longer than {_SLOW_MS} ms. {where}",
        )  # fmt: skip


def model_layer_name(scope: Construct) -> str:
    """Of the layer that holds the model: by this name a roll-out knows which layer of a function to replace."""
    return f"{Stack.of(scope).stack_name.lower()}-model"
