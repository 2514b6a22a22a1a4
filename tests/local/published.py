"""A function of which versions are published: its code says which one ran, with which layer and settings."""

from typing import Any

from local.platform.client import Connection
from tests.local.conftest import Function, name, zipped

HANDLER = """
import base64, os, pathlib, time

def handler(event, context):
    layer = pathlib.Path(os.environ["LAYER"]).read_text() if os.environ.get("LAYER") else ""
    if isinstance(event, dict) and "Records" in event:
        for record in event["Records"]:
            print("TOOK", context.function_version, layer, base64.b64decode(record["kinesis"]["data"]).decode())
        return {"batchItemFailures": []}
    if isinstance(event, dict) and "wait" in event:
        time.sleep(event["wait"])
    return {"version": context.function_version, "variable": os.environ["AWS_LAMBDA_FUNCTION_VERSION"], "layer": layer,
            "arn": context.invoked_function_arn, "step": os.environ.get("STEP"), "pid": os.getpid()}
"""


def settings(step: str, **more: str) -> dict[str, Any]:
    return {"Environment": {"Variables": {"STEP": step, **more}}}


def layer(here: Connection, text: str) -> str:
    version = here.client("lambda").publish_layer_version(
        LayerName=name("layer"), Content={"ZipFile": zipped(model__name_dot_txt=text)}
    )
    return version["LayerVersionArn"]


def canary(made: Function, stable: str, other: str = "", weight: float = 0.0) -> None:
    """Alias `live` on `stable`, with this weight on `other`."""
    client = made.here.client("lambda")
    routing = {"AdditionalVersionWeights": {other: weight} if other else {}}
    try:
        client.update_alias(FunctionName=made.name, Name="live", FunctionVersion=stable, RoutingConfig=routing)
    except client.exceptions.ResourceNotFoundException:
        client.create_alias(FunctionName=made.name, Name="live", FunctionVersion=stable, RoutingConfig=routing)
