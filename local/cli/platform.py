"""`cuatro up`, `down` and `status`: the local platform and what is deployed there, or the suite on AWS."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from local.cli.console import out, steps
from local.cli.options import StateDir, TargetName
from local.platform import deployment
from local.platform.account import PORT
from local.platform.errors import PlatformError
from local.platform.process import STATE, Platform, forget, running, start, stop

if TYPE_CHECKING:
    from local.platform.client import Connection


def up(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = PORT,
    state: StateDir = STATE,
    deploy: Annotated[bool, typer.Option(help="Deploy the suite too; --no-deploy leaves the platform empty.")] = True,
    context: Annotated[
        list[str] | None,
        typer.Option("--context", "-c", metavar="NAME=VALUE", help="Of the app, as for cdk: ranking=personalize."),
    ] = None,
) -> None:
    """Start the local platform and deploy the suite to it. Harmless when it runs: deploys only what changed.

    It listens on 127.0.0.1 only and keeps its files in .local; `--state DIR --port 0` runs another one beside it.
    Without -c it deploys the suite as it is by default, whatever was deployed before.
    """
    options = dict(_option(each) for each in context or ())
    with steps() as tell:
        there = running(state)
        if not there:
            tell("Starting the platform", None)
        platform = there or start(state, port)
        changed = deploy and deployment.deploy(platform, tell, options)
    what = "Deployed" if changed else "Nothing changed" if deploy else "Started"
    out.print(f"[green]{what}.[/] The platform answers at [bold]{platform.endpoint}[/], its log is {platform.log}")
    out.print(_by_tls(platform), soft_wrap=True)
    if deploy:
        out.print("Next: [bold]cuatro demo[/] streams transactions, [bold]cuatro status[/] shows what is there.")


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise PlatformError(f"-c {text}: must look like ranking=personalize.", "`head app.py` lists the options.")
    return name, value


def down(
    state: StateDir = STATE,
    forgetting: Annotated[
        bool, typer.Option("--forget", help="Also remove everything that it holds: the next `up` deploys anew.")
    ] = False,
) -> None:
    """End the local platform and every process of its functions. What it holds is kept for the next `up`."""
    if forgetting:
        forget(state)
        out.print("[green]Ended, and everything forgotten.[/] `cuatro up` begins anew.")
    elif stop(state):
        out.print("[green]Ended.[/] `cuatro up` starts it again, with all that it holds; --forget begins anew.")
    else:
        out.print("No platform runs here. `cuatro up` starts one.")


def status(target: TargetName = None, state: StateDir = STATE) -> None:
    """Show stacks, functions, addresses, waiting failures and rejected records."""
    from local.platform.client import connect  # noqa: PLC0415 - boto3 takes long to import

    connection = connect(target, state)
    here = running(state)
    if connection.target == "local":
        about = f", pid {here.pid}, log {here.log}" if here and here.endpoint == connection.endpoint else ""
        out.print(f"Platform at [bold]{connection.endpoint}[/]{about}")
        if about and here:
            out.print(_by_tls(here), soft_wrap=True)
    else:
        out.print(f"AWS, region [bold]{connection.region}[/]")
    stacks = _stacks(connection)
    if not stacks:
        out.print("Nothing is deployed. `cuatro up` deploys the suite here.")
        raise typer.Exit(1)
    table = Table("stack", "state", "functions", "failures", "rejected")
    addresses: list[str] = []
    for name, state_of in stacks.items():
        outputs = connection.outputs(name)
        queues = _queues(connection, name)
        table.add_row(
            name,
            state_of,
            ", ".join(sorted(_jobs(outputs))),
            str(sum(_depth(connection, queue) for queue in queues)),
            str(_rejected(connection, outputs.get("RejectedBucket"))),
        )
        if "ApiUrl" in outputs:
            addresses.append(f"{name}'s API: {connection.api_url(outputs['ApiUrl'])}")
        if "StreamName" in outputs:
            addresses.append(f"{name}'s stream: {outputs['StreamName']}")
    out.print(table)
    for address in addresses:
        out.print(address, soft_wrap=True)
    out.print("failures: batches and messages that wait in queues. rejected: objects with records that were refused.")
    out.print("Next: [bold]cuatro replay[/] sends both again, [bold]cuatro logs fraud[/] shows why.")


def _by_tls(platform: Platform) -> str:
    """Where the platform answers by TLS, for APIs that take nothing in the clear."""
    return f"By TLS: [bold]{platform.secure_endpoint}[/], verified with {platform.authority}"


def _stacks(connection: "Connection") -> dict[str, str]:
    """State of each of the suite's stacks."""
    pages = connection.client("cloudformation").get_paginator("describe_stacks").paginate()
    return {
        stack["StackName"]: stack["StackStatus"]
        for page in pages
        for stack in page["Stacks"]
        if stack["StackName"].startswith("Cuatro")
    }


def _queues(connection: "Connection", stack: str) -> list[str]:
    """URLs of a stack's queues."""
    pages = connection.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return [
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::SQS::Queue"
    ]


def _jobs(outputs: dict[str, str]) -> list[str]:
    """`ScoreFunction` among a stack's outputs -> `score`."""
    return [key.removesuffix("Function").lower() for key in outputs if key.endswith("Function")]


def _depth(connection: "Connection", queue: str) -> int:
    """Messages that wait in a queue or are held by a reader."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = connection.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(attributes.get(name, 0)) for name in names)


def _rejected(connection: "Connection", bucket: str | None) -> int:
    """Objects with rejected records that were not replayed."""
    if not bucket:
        return 0
    pages = connection.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return sum(not item["Key"].startswith("replayed/") for page in pages for item in page.get("Contents", []))
