"""Fraud's part in retraining: the function that reports drift, and which functions a roll-out changes."""

from typing import TYPE_CHECKING

from aws_cdk import CfnOutput, Duration

from cdk.artefact import shipped
from cdk.constructs.model_endpoint import ModelEndpoint
from cdk.constructs.models_image import ModelsImage
from cdk.constructs.retraining import RetrainingLoop
from cdk.constructs.suite_function import SuiteFunction
from cdk.retraining_fraud import FraudRetraining
from cdk.stacks.platform import CuatroPlatform

if TYPE_CHECKING:
    from cdk.stacks.fraud import CuatroFraud

_DRIFT_MEMORY_MB = 1769  # a week of decisions with their features is read into memory


def retrain_fraud(stack: "CuatroFraud", plan: FraudRetraining, platform: CuatroPlatform) -> RetrainingLoop:
    """The loop of the fraud model, with its outputs."""
    loop = RetrainingLoop(
        stack, "Retraining", plan=plan, lake=stack.lake, image=ModelsImage(stack, "ModelsImage", target=stack.target),
        artefact=shipped("fraud"), bus=platform.bus, core=stack.core, failures=stack.failures.queue, tell=stack.tell,
        target=stack.target,
    )  # fmt: skip
    drift = _drift(stack, plan, loop, stack.model)
    loop.watch(drift, plan.signals, Duration.hours(plan.drift_every_hours))
    loop.serve(weighted=[stack.score, stack.authorize], follows=[stack.act, drift])
    loop.outputs()
    CfnOutput(stack, "DriftFunctionOutput", value=drift.function.function_name).override_logical_id("DriftFunction")
    return loop


def _drift(stack: "CuatroFraud", plan: FraudRetraining, loop: RetrainingLoop, model: ModelEndpoint) -> SuiteFunction:
    """Reads decisions and labels, writes its report, knows which model is live; it measures and changes nothing."""
    drift = SuiteFunction(
        stack, "Drift", pipeline="fraud", job="drift", purpose="Measures how far data, scores and performance moved",
        settings={
            "LAKE_BUCKET": stack.lake.bucket.bucket_name, "MODELS_TABLE": loop.models.name,
            "MODEL_URI": model.uri, "SHADOW_MODEL_URI": stack.shadow_uri,
            "WINDOW_DAYS": str(plan.drift_window_days), "DELAY_DAYS": str(plan.delay_days),
        },
        target=stack.target, memory_mb=_DRIFT_MEMORY_MB, timeout=Duration.minutes(5), failures=stack.failures.queue,
        tell=stack.tell, layers=stack.layers_of(scores=True), live=True, rarely=True,
    )  # fmt: skip
    stack.lake.allow_read(drift.role, "decisions", "labels")
    stack.lake.allow_write(drift.role, "reports/drift")
    loop.models.allow(drift.role, "BatchGetItem")
    model.allow(drift.role)
    return drift
