"""(who signed, operation, input) -> nothing, or AWS's refusal: MiniStack's IAM is asked, as for its own services.

Which resources an action is checked on, each service tells by its own Access.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from ministack.app import _request_account_scope
from ministack.core import iam_actions, iam_evaluator, responses
from ministack.core import router as ministack_router

from local.aws.errors import AccessDenied
from local.aws.protocol import Answer, Call, Request
from local.aws.service import Service


@dataclass(frozen=True)
class Access:
    """How a service's actions are authorized.

    resources: (service, call, input) -> ARNs that the action is checked on, ["*"] where it has none; tagging: action
    that a Create operation with tags needs besides; passed: members that hand over a role, which iam:PassRole allows;
    actions: operations that the action of another name allows.
    """

    resources: Callable[[Service, Call, dict[str, Any]], list[str]]
    tagging: str
    passed: tuple[str, ...]
    actions: Mapping[str, str] = field(default_factory=dict)


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

    def may(self, service: Service, access: Access, call: Call, given: dict[str, Any]) -> None:
        """Raises AccessDenied when no policy of the caller allows the call, or passing the role it names."""
        prefix = call.operation.service_model.signing_name
        checked = access.resources(service, call, given)
        for resource in checked:
            self._ask(f"{prefix}:{access.actions.get(call.name, call.name)}", resource, {})
        if (given.get("Tags") or given.get("tags")) and call.name.startswith("Create"):
            self._ask(f"{prefix}:{access.tagging}", checked[0], {})
        for member in access.passed:
            if given.get(member):
                self._ask("iam:PassRole", given[member], {"iam:PassedToService": f"{service.name}.amazonaws.com"})

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
