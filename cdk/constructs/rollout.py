"""A version approved in the registry -> a state machine that brings it live behind the aliases, or takes it back."""

from collections.abc import Sequence

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk.config import Target
from cdk.constructs.alarms import alarm
from cdk.constructs.state_machine import state_machine
from cdk.constructs.suite_function import SuiteFunction
from cdk.rollout_definition import definition


class RollOut(Construct):
    """The state machine, the rule that starts it, and what puts the live model back after a deployment."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        function: SuiteFunction,
        machine: str,
        group: str,
        target: Target,
        tell: sns.ITopic,
    ) -> None:
        super().__init__(scope, name)
        self._function = function
        self.machine = self._state_machine(machine, function.function, target)
        failed = self.machine.metric_failed(period=Duration.minutes(5), statistic="Sum")
        alarm(
            self, "Failed", failed, at_least=1, tell=tell,
            means="A new model was rolled back; the live one serves on. Read why: cuatro models",
        )  # fmt: skip
        self._start_when_approved(group)
        self._take_back_when_ended()

    def _state_machine(self, name: str, function: lambda_.IFunction, target: Target) -> sfn.StateMachine:
        return state_machine(
            self,
            definition(function.function_arn),
            calls=[function],
            target=target,
            untraced="Its log and the models table tell each step; a roll-out is no request to trace.",
            name=name,  # so that the function's policy can name it, which the machine invokes
            log_data=True,
        )

    def _start_when_approved(self, group: str) -> None:
        rule = events.Rule(
            self,
            "Approved",
            description="A version was approved, by the pipeline or by a person",
            event_pattern=events.EventPattern(
                source=["aws.sagemaker"],
                detail_type=["SageMaker Model Package State Change"],
                detail={
                    "ModelPackageGroupName": [group],
                    "ModelApprovalStatus": ["Approved"],
                    # Other updates of an approved version, such as those that a roll-out itself makes, tell the same.
                    "UpdatedModelPackageFields": [{"exists": False}, "ModelApprovalStatus"],
                },
            ),
        )
        rule.add_target(
            targets.SfnStateMachine(
                self.machine,
                input=events.RuleTargetInput.from_object(
                    {"model_package_arn": events.EventField.from_path("$.detail.ModelPackageArn")}
                ),
            )
        )

    def _take_back_when_ended(self) -> None:
        """Stopped by a person or by its time limit, a machine runs no state any more that would move the aliases back.

        After one that rolled back itself there is nothing to do; what failed on the way is tried once more.
        """
        rule = events.Rule(
            self,
            "Ended",
            description="A roll-out ended on its way: all calls go to the version before it",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [self.machine.state_machine_arn],
                    "status": ["ABORTED", "FAILED", "TIMED_OUT"],
                },
            ),
        )
        back = {
            "action": "roll_back",
            "reason": "its execution was stopped, or came to its time limit",
            "execution": events.EventField.from_path("$.detail.executionArn"),
        }
        rule.add_target(targets.LambdaFunction(self._function.function, event=events.RuleTargetInput.from_object(back)))

    def restore_after(self, versioned: Sequence[SuiteFunction]) -> None:
        """A deployment gives the aliases versions with the shipped model: put the live one back as soon as it did."""
        restored = CustomResource(
            self,
            "RestoreModel",
            resource_type="Custom::RestoreModel",
            service_token=self._function.function.function_arn,
            properties={"Versions": [each.version for each in versioned]},
        )
        restored.node.add_dependency(self._function, *(each.reached for each in versioned))
