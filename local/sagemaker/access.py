"""(who signed, operation, input) -> nothing, or AWS's refusal: MiniStack's IAM is asked, as for its own services.

Which resource an action is checked on follows AWS's service authorization reference for SageMaker.
"""

from typing import Any
from urllib.parse import parse_qs

from ministack.app import _request_account_scope
from ministack.core import iam_actions, iam_evaluator, responses
from ministack.core import router as ministack_router

from local.sagemaker.errors import AccessDenied
from local.sagemaker.protocol import Answer, Call, Request
from local.sagemaker.service import Service

# Member of the input that names a resource -> kind in its ARN. An ARN in its place is taken as it is.
KINDS = {
    "TrainingJobName": "training-job",
    "ProcessingJobName": "processing-job",
    "TransformJobName": "transform-job",
    "ModelName": "model",
    "EndpointName": "endpoint",
    "EndpointConfigName": "endpoint-config",
    "PipelineName": "pipeline",
    "ModelPackageGroupName": "model-package-group",
    "ModelPackageName": "model-package",
    "FeatureGroupName": "feature-group",
}
ARNS = ("ResourceArn", "PipelineExecutionArn", "ModelPackageArn")
# What a List operation is of, where it is not of everything in the account.
LISTED_OF = {"ResourceArn", "PipelineExecutionArn", "PipelineName"}
# AWS checks these on every resource they name, and the rest on the first.
SEVERAL = {"CreateEndpoint", "UpdateEndpoint"}
PASSED = ("RoleArn", "ExecutionRoleArn")


class Caller:
    """Who signed a request, as MiniStack found out."""

    def __init__(self, scope: dict[str, Any], request: Request, service: str) -> None:
        self._headers = dict(request.headers)
        self._query = parse_qs(request.query, keep_blank_values=True)
        self._service = service
        self._key = ministack_router.extract_access_key_id(self._headers, self._query)
        responses.set_request_account_id(_request_account_scope(self._key) if self._key else "")
        self._region = ministack_router.extract_region(self._headers, self._query)
        responses.set_request_region(self._region)
        iam_evaluator.pin_request_origin((scope.get("client") or ("127.0.0.1",))[0], True)
        iam_evaluator.pin_signed_request(request.method, request.raw_path, self._query, list(scope["headers"]))
        iam_evaluator.pin_signed_body(request.body)
        iam_evaluator.pin_request_caller(self._headers, self._query)

    def refusal(self, request_id: str) -> Answer | None:
        """The answer to credentials that are wrong; None when they are good."""
        failure = iam_evaluator.check_credentials(self._key, self._service)
        return self._refused(failure, "", request_id) if failure else None

    def may(self, service: Service, call: Call, given: dict[str, Any]) -> None:
        """Raises AccessDenied when no policy of the caller allows the call, or passing the role it names."""
        prefix = call.operation.service_model.signing_name
        for resource in resources(service, call, given):
            self._ask(f"{prefix}:{call.name}", resource, {})
        if given.get("Tags") and call.name.startswith("Create"):
            self._ask(f"{prefix}:AddTags", resources(service, call, given)[0], {})
        for member in PASSED:
            if given.get(member):
                self._ask("iam:PassRole", given[member], {"iam:PassedToService": "sagemaker.amazonaws.com"})

    def _ask(self, action: str, resource: str, context: dict[str, Any]) -> None:
        denied = iam_evaluator.enforce(
            self._key, action, self._service, self._region, resource_arn=resource, service_context=context
        )
        if denied is None:
            return
        if isinstance(denied, iam_evaluator.AuthError):
            raise AccessDenied(denied.message)
        explicit = denied.decision == "Deny"
        raise AccessDenied(iam_actions.identity_denial_message(action, denied.principal_arn, resource, explicit))

    def _refused(self, failure: Any, action: str, request_id: str) -> Answer:
        status, headers, body = iam_actions.access_denied_response(
            self._service, action, "", request_id, error_code=failure.code, message=failure.message,
            headers=self._headers,
        )  # fmt: skip
        return Answer(status, dict(headers), body)


def resources(service: Service, call: Call, given: dict[str, Any]) -> list[str]:
    """ARNs that the action is checked on; "*" for an action that has no resource."""
    if call.name.startswith("List") and not given.keys() & LISTED_OF:
        return ["*"]
    if call.name == "BatchGetRecord":
        groups = [each.get("FeatureGroupName", "") for each in given.get("Identifiers", [])]
        return [_arn(service, "feature-group", group) for group in groups] or ["*"]
    if call.name == "CreateModelPackage" and "ModelPackageGroupName" in given:
        group = given["ModelPackageGroupName"].rpartition("/")[2]
        return [service.arn("model-package", f"{group}/*")]
    named = [given[member] for member in ARNS if member in given]
    named += [_arn(service, kind, given[member]) for member, kind in KINDS.items() if given.get(member)]
    return (named if call.name in SEVERAL else named[:1]) or ["*"]


def _arn(service: Service, kind: str, name: str) -> str:
    return name if name.startswith("arn:") else service.arn(kind, name)
