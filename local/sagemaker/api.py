"""SageMaker and Application Auto Scaling: the local service's parts, put together."""

from pathlib import Path
from types import ModuleType

from local.aws import containers
from local.aws.app import ServiceApp
from local.aws.cloudformation.first_call import Family
from local.aws.protocol import Protocol
from local.aws.service import Service, port
from local.emulator.routing import App
from local.sagemaker import (
    asynchronous,
    endpoint_configs,
    endpoints,
    features,
    invocations,
    models,
    pipelines,
    processing,
    registry,
    scaling,
    tags,
    training,
    transform,
)
from local.sagemaker.access import ACCESS
from local.sagemaker.cloudformation.kinds import KINDS

SIGNING_NAMES = ("sagemaker", "application-autoscaling")
PROTOCOL = Protocol(
    ("sagemaker", "sagemaker-runtime", "sagemaker-featurestore-runtime", "application-autoscaling"),
    frozenset({"ResourceNotFound", "ResourceInUse", "ResourceLimitExceeded", "ConflictException"}),
)
# In the order in which they end: an execution before the jobs that it waits for, every process last.
MODULES: tuple[ModuleType, ...] = (
    pipelines, endpoints, invocations, asynchronous, models, endpoint_configs, registry, features, scaling, training,
    processing, transform, tags, containers,
)  # fmt: skip


def app(state: Path) -> ServiceApp:
    """The app, with what it stores under `state`."""
    return ServiceApp(Service(state, port(), "SageMaker", lower_arns=True), PROTOCOL, ACCESS, MODULES)


def services(sagemaker: ServiceApp) -> dict[str, App]:
    """The app by the signing names that it answers for."""
    return dict.fromkeys(SIGNING_NAMES, sagemaker)


def family(sagemaker: ServiceApp) -> Family:
    """Its types for CloudFormation."""
    return Family(KINDS, sagemaker.service, sagemaker.operations)
