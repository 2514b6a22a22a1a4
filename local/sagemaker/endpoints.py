"""CreateEndpoint and what belongs to it: the request is checked, the status set, and a thread does the rest.

An endpoint is InService once its models answer /ping, or with a serverless variant once its model is here. Its workers
end when nobody asks, and start again with the next request; after a restart of the platform it is InService again.
"""

import shutil
import time
from typing import Any

from local.aws import paging
from local.aws.errors import ResourceNotFound, ValidationException
from local.aws.service import Input, Operation, Output, Service
from local.aws.store import Record
from local.sagemaker import deploying, endpoint_configs, plans, statuses, tags
from local.sagemaker.plans import Plan
from local.sagemaker.serving import endpoints, folder
from local.sagemaker.statuses import TABLE, found, settle, take
from local.sagemaker.variants import Variant

RESTARTED = "The platform was restarted while {}. Start it again."


def create(service: Service, given: Input) -> Output:
    """CreateEndpoint."""
    name = given["EndpointName"]
    arn = service.arn(TABLE, name)
    config = endpoint_configs.found(service, given["EndpointConfigName"])
    deployment_config = given.get("DeploymentConfig", {})
    plan = plans.plan(service, config, eager=False)
    deploying.steps(deployment_config, sum(variant["count"] for variant in plan["variants"]))
    now = time.time()
    record = {
        "EndpointName": name,
        "EndpointArn": arn,
        "EndpointConfigName": given["EndpointConfigName"],
        "EndpointStatus": "Creating",
        "CreationTime": now,
        "LastModifiedTime": now,
        **({"LastDeploymentConfig": deployment_config} if deployment_config else {}),
    }
    if not service.store.table(TABLE).create(name, record):
        raise ValidationException(f'Cannot create already existing endpoint "{arn}".')
    tags.given(service, arn, given.get("Tags"))
    statuses.tell(service, record)
    deploying.in_background(service, name, lambda: deploying.create(service, name, plan), "Failed")
    return {"EndpointArn": arn}


def describe(service: Service, given: Input) -> Output:
    """DescribeEndpoint."""
    return found(service, given["EndpointName"])


def list_endpoints(service: Service, given: Input) -> Output:
    """ListEndpoints."""
    records = service.store.table(TABLE).all()
    return paging.answer(records, given, "Endpoints", "EndpointName", "EndpointStatus")


def update(service: Service, given: Input) -> Output:
    """UpdateEndpoint."""
    name = given["EndpointName"]
    record = found(service, name)
    config = endpoint_configs.found(service, given["EndpointConfigName"])
    deployment_config = given.get("DeploymentConfig", {})
    if given.get("RetainDeploymentConfig") and not deployment_config:
        deployment_config = record.get("LastDeploymentConfig", {})
    plan = plans.plan(service, config, eager=True)
    if given.get("RetainAllVariantProperties") and "_plan" in record:
        excluded = {entry["VariantPropertyType"] for entry in given.get("ExcludeRetainedVariantProperties", ())}
        plans.retain(plan, record["_plan"], excluded)
    deploying.steps(deployment_config, sum(variant["count"] for variant in plan["variants"]))
    take(service, name, "Updating", ("InService", "Failed"), LastDeploymentConfig=deployment_config or None)
    deploying.in_background(
        service, name, lambda: deploying.update(service, name, plan, deployment_config), "InService"
    )
    return {"EndpointArn": record["EndpointArn"]}


def update_weights(service: Service, given: Input) -> Output:
    """UpdateEndpointWeightsAndCapacities."""
    name = given["EndpointName"]
    record = found(service, name)
    changes = given["DesiredWeightsAndCapacities"]
    _change(record, changes)  # refused before the status changes
    plan = _change(take(service, name, "Updating", ("InService",)), changes)

    def work() -> None:
        for spec in plan["variants"]:
            _variant(service, name, spec["VariantName"]).change(spec)
        settle(service, name, "InService", plan=plan)

    deploying.in_background(service, name, work, "InService")
    return {"EndpointArn": record["EndpointArn"]}


def delete(service: Service, given: Input) -> Output:
    """DeleteEndpoint."""
    name = given["EndpointName"]
    take(service, name, "Deleting", ("InService", "Failed"))
    deploying.in_background(service, name, lambda: deploying.delete(service, name), "Failed")
    return {}


def desired(service: Service, name: str, variant: str) -> int:
    """Instances that a variant should have, for Application Auto Scaling. Raises ResourceNotFound."""
    return _variant(service, name, variant).capacity


def scale(service: Service, name: str, variant: str, count: int) -> None:
    """Sets how many instances a variant should have. Raises ResourceNotFound; ValidationException during an update."""
    _variant(service, name, variant)
    change = {"VariantName": variant, "DesiredInstanceCount": count}
    update_weights(service, {"EndpointName": name, "DesiredWeightsAndCapacities": [change]})


def invocations(service: Service, name: str, variant: str) -> float:
    """Invocations of a variant within the last minute. Raises ResourceNotFound."""
    return _variant(service, name, variant).entered()


def recover(service: Service) -> None:
    """What serves is there again, its workers start with the first request; what was under way has its stated end."""
    table = service.store.table(TABLE)
    for record in table.all():
        name, status = record["EndpointName"], record["EndpointStatus"]
        if status == "Deleting":
            table.delete(name)
            tags.forget(service, record["EndpointArn"])
            shutil.rmtree(folder(service, name), ignore_errors=True)
        elif "_plan" not in record:
            if status == "Creating":
                settle(service, name, "Failed", RESTARTED.format("the endpoint was created"))
        else:
            endpoints(service).add(name, deploying.deployment(service, name, record["_plan"]))
            if status != "InService":
                under_way = status in ("Updating", "RollingBack")
                settle(service, name, "InService", RESTARTED.format("the endpoint was updated") if under_way else "")
            for left in folder(service, name).glob("*"):  # of an update that was under way
                if left.name != record["_plan"]["id"]:
                    shutil.rmtree(left)


def end(service: Service) -> None:
    """Ends every worker."""
    endpoints(service).end()


def _change(record: Record, changes: list[dict[str, Any]]) -> Plan:
    """The endpoint's plan with other weights and capacities. Raises ValidationException."""
    plan: Plan = record.get("_plan") or {"variants": []}
    specs = {spec["VariantName"]: spec for spec in plan["variants"]}
    for desired in changes:
        spec = specs.get(desired["VariantName"])
        if spec is None:
            raise ValidationException(
                f'Could not find variant "{desired["VariantName"]}" of endpoint "{record["EndpointArn"]}".'
            )
        if "DesiredInstanceCount" in desired:
            if "ServerlessConfig" in spec:
                raise ValidationException("DesiredInstanceCount does not go with a serverless variant.")
            if not desired["DesiredInstanceCount"] and not plan["async"]:
                raise ValidationException("DesiredInstanceCount must be at least 1.")
            spec["count"] = desired["DesiredInstanceCount"]
        if "ServerlessUpdateConfig" in desired:
            if "ServerlessConfig" not in spec:
                raise ValidationException("ServerlessUpdateConfig goes with a serverless variant only.")
            spec["ServerlessConfig"] |= desired["ServerlessUpdateConfig"]
        spec["weight"] = desired.get("DesiredWeight", spec["weight"])
    return plan


def _variant(service: Service, name: str, variant: str) -> Variant:
    serving = endpoints(service).find(name)
    deployment = serving.current if serving else None
    if deployment is None or variant not in deployment.variants:
        raise ResourceNotFound(f"Could not find variant {variant!r} of endpoint {name!r}.")
    return deployment.variants[variant]


OPERATIONS: dict[str, Operation] = {
    "CreateEndpoint": create,
    "DescribeEndpoint": describe,
    "ListEndpoints": list_endpoints,
    "UpdateEndpoint": update,
    "UpdateEndpointWeightsAndCapacities": update_weights,
    "DeleteEndpoint": delete,
}
