"""A pipeline -> the stack it begins as: stream, lake, rejected records, failures queue, layers, its model.

Each stack has its own layers: one that another stack uses could never be replaced.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.config import Target
from cdk.constructs.failures import FailuresQueue
from cdk.constructs.findings import acknowledge
from cdk.constructs.lake import Lake
from cdk.constructs.model_endpoint import ModelEndpoint, model_layer_name
from cdk.constructs.models_image import ModelsImage
from cdk.constructs.private_bucket import private_bucket
from cdk.constructs.suite_function import RUNTIME, SuiteFunction, code
from cdk.layers import layer_archive, model_archive
from cdk.stacks.platform import CuatroPlatform, synthesizer

_SHADOW = "shadow.onnx"


class PipelineStack(Stack):
    """`pipeline` is the word that names functions, model and prefixes. `events` names the stream's construct (None: it
    has no stream), `keeps` the lake's deliveries (None: no lake and no bucket of rejected records; what it stores is
    under keys of its own)."""

    stream: kinesis.Stream
    rejected: s3.Bucket
    lake: Lake

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        pipeline: str,
        purpose: str,
        events: str | None,
        keeps: Sequence[str] | None,
        target: Target,
        platform: CuatroPlatform,
        gpu_image: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, name, synthesizer=synthesizer(target), description=purpose, **kwargs)
        self.pipeline, self.target, self.tell = pipeline, target, platform.alarm_topic
        self.failures = FailuresQueue(self, "Failures", tell=self.tell)
        if events:
            self.stream = self._stream(events)
        self._streamed = bool(events)
        # By name: the platform's policy lets S3 write there already, and must not come to depend on this stack.
        self.access_logs = s3.Bucket.from_bucket_name(self, "AccessLogs", platform.access_logs.bucket_name)
        self._keeps, self._gpu_image = keeps is not None, gpu_image
        if keeps is not None:
            self.rejected = self._rejected(self.access_logs)
            self.lake = Lake(
                self, "Lake", pipeline=pipeline, keeps=keeps, target=target, access_logs=self.access_logs,
                tell=self.tell,
            )  # fmt: skip
        self._layers()

    def _stream(self, events: str) -> kinesis.Stream:
        profile = self.target.profile
        on_demand = profile.shards is None
        return kinesis.Stream(
            self,
            events,
            encryption=kinesis.StreamEncryption.MANAGED,
            stream_mode=kinesis.StreamMode.ON_DEMAND if on_demand else kinesis.StreamMode.PROVISIONED,
            shard_count=profile.shards,
            retention_period=Duration.hours(profile.stream_retention_hours),
            removal_policy=RemovalPolicy.RETAIN if self.target.retain_data else RemovalPolicy.DESTROY,
        )

    def _rejected(self, access_logs: s3.IBucket) -> s3.Bucket:
        bucket = private_bucket(
            self, "Rejected", expire_days=self.target.profile.object_retention_days, retain=self.target.retain_data,
            access_logs=access_logs, log_prefix=f"{self.pipeline}/rejected/",
        )  # fmt: skip
        acknowledge(
            bucket, "Annotation::@aws-cdk/aws-s3:accessLogsPolicyNotAdded", "The platform stack's policy allows it."
        )
        return bucket

    def _layers(self) -> None:
        self.core = self.packages("core", "cuatro, Powertools, msgspec, Chalice's router")
        self.inference = self.packages("inference", "ONNX Runtime and numpy, slimmed")
        self.model = ModelEndpoint(
            self, "Model", pipeline=self.pipeline, serving=self.target.serving, layer=self._model_layer,
            image=self._models_image, lake=self.lake if self._keeps else None, tell=self.tell,
            gpu=bool(self._gpu_image),
        )  # fmt: skip
        self.shadow_uri = f"/opt/models/{self.pipeline}/{_SHADOW}" if self.target.shadow_model else ""

    def _model_layer(self) -> lambda_.LayerVersion:
        archive = model_archive(self.pipeline, self.target.shadow_model)
        return self._layer("Model", archive, f"The {self.pipeline} model", model_layer_name(self))

    def _models_image(self) -> ModelsImage:
        """Made when something uses it: building it takes Docker, Finch or Podman."""
        own = replace(self.target, models_image=self._gpu_image) if self._gpu_image else self.target
        return ModelsImage(self, "ModelsImage", target=own)

    def packages(self, name: str, description: str) -> lambda_.LayerVersion:
        """layers/<name> as a layer of this stack."""
        return self._layer(name.capitalize(), layer_archive(name, self.target.layer_platform), description)

    def _layer(self, name: str, archive: Path, description: str, layer_name: str | None = None) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self, f"{name}Layer", code=code(archive), compatible_runtimes=[RUNTIME], layer_version_name=layer_name,
            compatible_architectures=[lambda_.Architecture.X86_64], description=description,
        )  # fmt: skip

    def function(
        self,
        name: str,
        job: str,
        purpose: str,
        memory_mb: int,
        *,
        scores: bool,
        settings: Mapping[str, str],
        timeout_s: int = 60,
        more: Sequence[lambda_.ILayerVersion] = (),
        rarely: bool = False,
    ) -> SuiteFunction:
        """One job's function. One that `scores` has the model, and an alias by which it is reached. more: layers."""
        made = SuiteFunction(
            self, name, pipeline=self.pipeline, job=job, purpose=purpose, settings=settings, target=self.target,
            memory_mb=memory_mb, timeout=Duration.seconds(timeout_s), failures=self.failures.queue, tell=self.tell,
            live=scores, layers=[*self.layers_of(scores=scores), *more], rarely=rarely,
        )  # fmt: skip
        if scores:
            self.model.allow(made.role)
        return made

    def layers_of(self, *, scores: bool) -> list[lambda_.ILayerVersion]:
        model = [self.model.layer] if self.model.layer else []
        return [self.core, self.inference, *model] if scores else [self.core]

    def outputs(self, values: Mapping[str, str]) -> None:
        """Outputs under exactly these keys, with those that every pipeline has."""
        endpoint = self.model.endpoint
        every = {
            **({"ModelEndpointName": endpoint.attr_endpoint_name} if endpoint else {}),
            **({"StreamName": self.stream.stream_name} if self._streamed else {}),
            "FailuresQueueUrl": self.failures.queue.queue_url,
            **({"RejectedBucket": self.rejected.bucket_name} if self._keeps else {}),
            **({"LakeBucket": self.lake.bucket.bucket_name} if self._keeps else {}),
        }
        for key, value in {**every, **values}.items():
            CfnOutput(self, f"{key}Output", value=value).override_logical_id(key)
