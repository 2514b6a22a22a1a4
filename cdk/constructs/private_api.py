"""Routes -> a REST API that callers with IAM credentials reach, and by `signed` routes those who sign the body."""

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.config import Target
from cdk.constructs.findings import acknowledge
from cdk.constructs.suite_function import SuiteFunction

_STAGE = "v1"

Route = tuple[str, str]  # ("POST", "/cards/{card_id}/block")


class PrivateApi(Construct):
    """Every resource is explicit, so an unknown path never reaches the function; all are throttled and logged.

    signed: routes for senders without IAM credentials, whose signature over the body the function checks. `url` ends
    in a slash.
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
                data_trace_enabled=False,  # bodies hold card data
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
        for verb, path in routes:
            resource = self.api.root.resource_for_path(path)
            method = resource.add_method(verb, integration, authorization_type=apigateway.AuthorizationType.IAM)
            acknowledge(
                method,
                "AwsSolutions-COG4",
                "Callers are systems with IAM credentials, not people with a user pool's account.",
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
        self._acknowledge()

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
            "Only IAM callers get in, throttled; a web ACL would cost 5 USD a month while idle.",
        )
