"""Routes -> a REST API that callers with IAM credentials reach, or those whom a function of ours knows by a token.

By `signed` routes come those who sign the body.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.config import Target
from cdk.constructs.findings import acknowledge
from cdk.constructs.suite_function import SuiteFunction

_STAGE = "v1"

# How long a token that is taken back may still get in: the function is asked once in this time.
_KNOWN_S = 60

Route = tuple[str, str]  # ("POST", "/cards/{card_id}/block")
# Which refusal of API Gateway's own -> status, headers, body: what it says when the function is not asked.
Refusals = Mapping[apigateway.ResponseType, tuple[int, Mapping[str, str], str]]


class PrivateApi(Construct):
    """Every resource is explicit, so an unknown path never reaches the function; all are throttled and logged.

    signed: routes for senders without IAM credentials, whose signature over the body the function checks. known_by:
    the function that knows callers by their Authorization header, for callers that have no IAM credentials. binary:
    bodies are bytes, not text. `url` ends in a slash.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        routes: Sequence[Route],
        answers: SuiteFunction,
        target: Target,
        signed: Sequence[Route] = (),
        known_by: SuiteFunction | None = None,
        binary: bool = False,
        refusals: Refusals | None = None,
    ) -> None:
        super().__init__(scope, name)
        access_log = logs.LogGroup(
            self,
            "AccessLog",
            retention=target.profile.log_retention,
            removal_policy=RemovalPolicy.RETAIN if target.retain_data else RemovalPolicy.DESTROY,
        )
        self.api = apigateway.RestApi(
            self,
            "Api",
            description=answers.function.node.path,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            binary_media_types=["*/*"] if binary else None,
            deploy_options=apigateway.StageOptions(
                stage_name=_STAGE,
                throttling_rate_limit=target.profile.api_rate,
                throttling_burst_limit=target.profile.api_burst,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                    caller=True, http_method=True, ip=True, protocol=True, request_time=True,
                    resource_path=True, response_length=True, status=True, user=True,
                ),
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,  # bodies hold personal data
                metrics_enabled=True,
            ),
        )  # fmt: skip
        self.api.node.try_remove_child("Endpoint")  # CDK's own output of the URL: stacks name their outputs themselves
        # API Gateway would make this log group on the first error, to keep it for ever.
        logs.LogGroup(
            self,
            "ExecutionLog",
            log_group_name=f"API-Gateway-Execution-Logs_{self.api.rest_api_id}/{_STAGE}",
            retention=target.profile.log_retention,
            removal_policy=RemovalPolicy.DESTROY,
        )
        integration = apigateway.LambdaIntegration(answers.reached, allow_test_invoke=False)
        authorizer = self._authorizer(known_by) if known_by else None
        kinds = apigateway.AuthorizationType
        for verb, path in routes:
            resource = self.api.root.resource_for_path(path)
            method = resource.add_method(
                verb, integration, authorizer=authorizer, authorization_type=kinds.CUSTOM if authorizer else kinds.IAM
            )
            acknowledge(
                method,
                "AwsSolutions-COG4",
                "Callers are systems with IAM credentials or a token of their own, not people with a user pool's "
                "account.",
            )
        for verb, path in signed:
            resource = self.api.root.resource_for_path(path)
            method = resource.add_method(verb, integration, authorization_type=apigateway.AuthorizationType.NONE)
            for rule in ("AwsSolutions-APIG4", "AwsSolutions-COG4"):
                acknowledge(
                    method,
                    rule,
                    "Senders of web hooks cannot sign as IAM does: the function checks an HMAC of the body.",
                )
        for kind, (status, headers, body) in (refusals or {}).items():
            self.api.add_gateway_response(
                f"{kind.response_type.title().replace('_', '')}Response",
                type=kind,
                status_code=str(status),
                response_headers={name: f"'{value}'" for name, value in headers.items()},
                templates={"application/json": body},
            )
        self._acknowledge()

    def _authorizer(self, function: SuiteFunction) -> apigateway.RequestAuthorizer:
        return apigateway.RequestAuthorizer(
            self,
            "Authorizer",
            handler=function.reached,
            identity_sources=[apigateway.IdentitySource.header("Authorization")],
            results_cache_ttl=Duration.seconds(_KNOWN_S),
        )

    @property
    def url(self) -> str:
        return self.api.url

    def _acknowledge(self) -> None:
        acknowledge(
            self.api,
            "AwsSolutions-APIG2",
            "The function checks every request and answers which field is wrong and why; a validator cannot.",
        )
        acknowledge(
            self.api.deployment_stage,
            "AwsSolutions-APIG3",
            "Only known callers get in, throttled; a web ACL would cost 5 USD a month while idle.",
        )
