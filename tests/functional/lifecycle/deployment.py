"""What a deployment of fraud has for the life of its models, in memory, and the three functions that act on it."""

import hashlib
import io
import json
import time
import zipfile
from datetime import UTC, datetime
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.events.models import events_backends

from tests.functional.aws_in_memory import Wire
from tests.functional.lifecycle.registry import PIPELINE, Registry
from tests.functional.suite import ENVIRONMENT as SUITE
from tests.functional.suite import REGION, Context, client
from tests.registration import archived

WEIGHTED, FOLLOWS = ("score", "api"), ("act", "drift")
PLAN = {
    "compares": "decisions",
    "shadow_s": 5, "min_rows": 40, "max_shadow_s": 60, "weights": [0.1, 0.5], "step_s": 7, "bake_s": 9,
    "max_alert_ratio": 2.0,
}  # fmt: skip
ENVIRONMENT = {
    **SUITE,
    "FUNCTIONS": json.dumps({**dict.fromkeys(WEIGHTED, "weighted"), **dict.fromkeys(FOLLOWS, "follows")}),
    "ALIAS": "live", "LAYER_NAME": "cuatrofraud-model", "ALARMS": json.dumps(["score-errors", "behind"]),
    "LAKE_BUCKET": "lake", "PIPELINE": "fraud", "MODELS_TABLE": "models", "PLAN": json.dumps(PLAN),
    "SHIPPED_URI": "s3://lake/shipped/model.tar.gz", "SHIPPED_VERSION": "v-0", "PIPELINE_NAME": "cuatrofraud",
    "FEATURE_SET": "features-1",
}  # fmt: skip
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:rollout:one"


class Deployment:
    """Four functions whose alias points to version 1, with the shipped model."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.registry = Registry()
        self.lambda_, self.s3 = client("lambda"), client("s3")
        for bucket in ("lake",):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3.put_object(Bucket="lake", Key="shipped/model.tar.gz", Body=archived(b"shipped"))
        client("dynamodb").create_table(
            TableName="models", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        )  # fmt: skip
        bus = client("events").create_event_bus(Name="suite")["EventBusArn"]
        client("events").create_archive(ArchiveName="all", EventSourceArn=bus)
        for name in ("score-errors", "behind"):
            client("cloudwatch").put_metric_alarm(
                AlarmName=name, MetricName="Errors", Namespace="AWS/Lambda", Period=60, EvaluationPeriods=1,
                Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
            )  # fmt: skip
        role = client("iam").create_role(RoleName="function", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.layers = [self._layer(name) for name in ("core", "cuatrofraud-model")]
        for name in (*WEIGHTED, *FOLLOWS):
            self._create(name, role)

    def deploy(self) -> None:
        """What CloudFormation does: the template's configuration, a new version, the alias on it."""
        for name in (*WEIGHTED, *FOLLOWS):
            self.lambda_.update_function_configuration(FunctionName=name, **self._template(name))
            version = self.lambda_.publish_version(FunctionName=name)["Version"]
            weights: dict[str, Any] = {"AdditionalVersionWeights": {}}
            self.lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion=version, RoutingConfig=weights)

    def _template(self, name: str) -> dict[str, Any]:
        variables = {"MODEL_URI": "/opt/models/fraud/model.onnx", "SHADOW_MODEL_URI": "", "TABLE": name}
        return {"Layers": self.layers, "Environment": {"Variables": variables}}

    def deploy_code(self, *names: str) -> None:
        """Of these functions, their code alone: CloudFormation publishes $LATEST as it is, and knows no weights."""
        for name in names:
            self.lambda_.update_function_code(FunctionName=name, ZipFile=_code("second"))
            version = self.lambda_.publish_version(FunctionName=name)["Version"]
            self.lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion=version)

    def challenger(self, version: str = "v-1", content: bytes = b"challenger", **changes: Any) -> str:
        """An approved package; its ARN."""
        key = f"fraud/models/{version}/model.tar.gz"
        self.s3.put_object(Bucket="lake", Key=key, Body=archived(content))
        sha256 = changes.pop("sha256", hashlib.sha256(content).hexdigest())
        return self.registry.register(version, f"s3://lake/{key}", sha256, **changes)

    def act(self, action: str, execution: str = EXECUTION, **given: Any) -> dict[str, Any]:
        """One action of the roll-out's function."""
        from functions.lifecycle.rollout.handler import handler  # noqa: PLC0415 - reads the test's environment

        return handler({"action": action, "execution": execution, **given}, Context())

    def shadowed(self, **package: Any) -> str:
        """A roll-out whose challenger scores as the shadow; the package's ARN."""
        arn = self.challenger(**package)
        self.act("begin", model_package_arn=arn)
        self.act("shadow")
        return arn

    def promoted(self, **package: Any) -> str:
        """A roll-out that went well; the package's ARN."""
        arn = self.shadowed(**package)
        for _ in (*PLAN["weights"], 1.0):
            self.act("shift")
            self.act("check")
        self.act("finish")
        return arn

    def decided(self, number: int, champion: float, challenger: float | None, version: str = "v-1", **row: Any) -> str:
        """A line of the lake; a score of 0.5 or more is declined."""
        shadow = None
        if challenger is not None:
            shadow = {"version": version, "score": challenger, "outcome": _outcome(challenger)}
        told = {
            "version": 1, "transaction_id": f"t-{number}", "decided_at": datetime.now(UTC).isoformat(),
            "model_version": "v-0", "score": champion, "outcome": _outcome(champion), "shadow": shadow, "else": "x",
        }  # fmt: skip
        return json.dumps({**told, **row})

    def deliver(self, lines: list[str]) -> None:
        """Into the lake."""
        key = f"fraud/decisions/dt={datetime.now(UTC):%Y-%m-%d}/{time.monotonic_ns()}"
        self.s3.put_object(Bucket="lake", Key=key, Body="\n".join(lines).encode())

    # What is left behind

    def alias(self, name: str) -> tuple[str, dict[str, float]]:
        """Version and weights of others."""
        found = self.lambda_.get_alias(FunctionName=name, Name="live")
        return found["FunctionVersion"], (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {})

    def uris(self, name: str, version: str = "") -> tuple[str, str]:
        """Base names of MODEL_URI and SHADOW_MODEL_URI of a version (default: the alias')."""
        found = self.lambda_.get_function_configuration(FunctionName=name, Qualifier=version or self.alias(name)[0])
        variables = found["Environment"]["Variables"]
        assert variables["TABLE"] == name, "the rest of the environment stays"
        return variables["MODEL_URI"].rpartition("/")[2], variables["SHADOW_MODEL_URI"].rpartition("/")[2]

    def files(self, name: str, version: str = "") -> dict[str, bytes]:
        """What the model layer of a version holds, by base name."""
        found = self.lambda_.get_function_configuration(FunctionName=name, Qualifier=version or self.alias(name)[0])
        (arn,) = [each["Arn"] for each in found["Layers"] if ":cuatrofraud-model:" in each["Arn"]]
        layer = lambda_backends[DEFAULT_ACCOUNT_ID][REGION].layers_versions_by_arn(arn)
        with zipfile.ZipFile(io.BytesIO(layer.code_bytes)) as files:
            return {path.rpartition("/")[2]: files.read(path) for path in files.namelist()}

    def item(self, name: str) -> dict[str, Any]:
        """An item of the models table."""
        from cuatro.adapters.attributes import decoded_image  # noqa: PLC0415

        return decoded_image(client("dynamodb").get_item(TableName="models", Key={"name": {"S": name}})["Item"])

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Details of what is on the bus."""
        (kept,) = events_backends[DEFAULT_ACCOUNT_ID][REGION].archives.values()
        return [event["detail"] for event in kept.events if event["detail-type"] == kind]

    def _layer(self, name: str) -> str:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as files:
            files.writestr("models/fraud/model.onnx", name)
        answer = self.lambda_.publish_layer_version(LayerName=name, Content={"ZipFile": stream.getvalue()})
        return answer["LayerVersionArn"]

    def _create(self, name: str, role: str) -> None:
        self.lambda_.create_function(
            FunctionName=name, Runtime="python3.13", Role=role, Handler="handler.handler",
            Code={"ZipFile": _code("first")}, Publish=True, **self._template(name),
        )  # fmt: skip
        self.lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")


def _code(content: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as files:
        files.writestr("handler.py", content)
    return stream.getvalue()


def _outcome(score: float) -> str:
    return "decline" if score >= 0.5 else "approve"


__all__ = ["EXECUTION", "FOLLOWS", "PIPELINE", "PLAN", "WEIGHTED", "Deployment"]
