"""Step types that make a SageMaker resource: which operations, which names, and what of the answers is read."""

from dataclasses import dataclass
from functools import cached_property

from botocore.model import StructureShape

from local.aws.protocol import model


@dataclass(frozen=True)
class Kind:
    """CreateX, DescribeX, StopX of one resource. `done` are statuses of success; without any, there is no status."""

    resource: str
    metadata: str
    name: str | None  # member of the input that names it; None when SageMaker does
    role: str | None = None
    done: tuple[str, ...] = ()
    stops: bool = False

    @cached_property
    def create(self) -> str:
        """Name of the operation that makes it."""
        return f"Create{self.resource}"

    @cached_property
    def arn(self) -> str:
        """Member with its ARN in the answers."""
        return f"{self.resource}Arn"

    @cached_property
    def status(self) -> str:
        """Member with its status in Describe's answer."""
        return f"{self.resource}Status"

    @property
    def arguments(self) -> StructureShape:
        """Shape of the step's Arguments."""
        return _structure(model("sagemaker").operation_model(self.create).input_shape)

    @property
    def properties(self) -> StructureShape:
        """Shape of the step's properties: what {"Get": "Steps.X...."} reads."""
        return _structure(model("sagemaker").operation_model(f"Describe{self.resource}").output_shape)


KINDS = {
    "Training": Kind("TrainingJob", "TrainingJob", "TrainingJobName", "RoleArn", ("Completed",), stops=True),
    "Processing": Kind("ProcessingJob", "ProcessingJob", "ProcessingJobName", "RoleArn", ("Completed",), stops=True),
    "Transform": Kind("TransformJob", "TransformJob", "TransformJobName", None, ("Completed",), stops=True),
    "Model": Kind("Model", "Model", "ModelName", "ExecutionRoleArn"),
    "RegisterModel": Kind("ModelPackage", "RegisterModel", None, None, ("Completed",)),
}


def _structure(shape: object) -> StructureShape:
    if not isinstance(shape, StructureShape):
        raise TypeError(f"{shape} is not a structure")
    return shape
