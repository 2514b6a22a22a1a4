"""`cuatro erase patient`: all that is kept of a patient is gone for good, with a certificate; or why it is not."""

import json
import time
from typing import Annotated, Any

import typer

from local.cli.console import out
from local.cli.options import StateDir, TargetName
from local.platform.client import Connection
from local.platform.errors import PlatformError
from local.platform.pipelines import STACKS
from local.platform.process import STATE

OUTPUT = "EraseFunction"
_LONGEST_S = 900
app = typer.Typer(no_args_is_help=True, help="Erase what is kept of a person, on request.")


@app.callback()
def erase() -> None:
    """Erase what is kept of a person, on request."""


@app.command()
def patient(  # noqa: PLR0913, PLR0917 - a parameter is an option of the command
    name: Annotated[str, typer.Argument(help="The patient's id at the hospital, or with --pseudonym the pseudonym.")],
    issuer: Annotated[
        str, typer.Option(help="Whose id it is: Issuer of Patient ID in the files, else the sender's name.")
    ] = "",
    pseudonym: Annotated[bool, typer.Option("--pseudonym", help="NAME is the patient's pseudonym.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only count what there is.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    settle: Annotated[
        int, typer.Option(help="Seconds that a step of a stopped reading may still run, before the last look.", min=0)
    ] = 130,
    target: TargetName = None,
    directory: StateDir = STATE,
) -> None:
    """Remove every version of every object, every row and every task of a patient.

    It cannot be undone. Nothing is touched where an object is locked (legal
    hold, retention): the command says so and ends with status 1. What stays is
    the ledger, which holds pseudonyms only and now proves the erasure; and
    the tables' point-in-time backups, for 35 days.
    """
    from local.platform.client import connect  # noqa: PLC0415 - boto3 takes long to import

    whom = {"patient": name} if pseudonym else {"patient_id": name, "issuer": issuer}
    connection = connect(target, directory)
    found = _called(connection, {**whom, "preview": True})
    if found["state"] == "nothing":
        raise PlatformError(
            "Nothing is kept of this patient.", "Is it the right --issuer? See `cuatro erase patient --help`."
        )
    out.print(f"{found['studies']} studies, {found['instances']} instances, {found['objects']} versions of objects.")
    _refuse_locked(found)
    if preview:
        return
    if not yes and not typer.confirm("Erase all of it? It cannot be undone"):
        raise typer.Exit(1)
    whom["by"] = connection.client("sts").get_caller_identity()["Arn"]
    made = _called(connection, whom)
    if made["state"] == "erasing":
        out.print(f"{made['executions']} readings were stopped; a last look in {settle} s.")
        time.sleep(settle)
        made = _called(connection, whom)
    _refuse_locked(made)
    out.print(f"[green]Erased.[/] The ledger has the certificate: `cuatro audit show --object {made['patient']}`")


def _refuse_locked(found: dict[str, Any]) -> None:
    if found["locked"]:
        told = ", ".join(f"{count} by {why.replace('_', ' ')}" for why, count in found["locked"].items())
        raise PlatformError(
            f"Objects are locked ({told}): nothing was erased.",
            "Lift the hold, or wait until the retention is over; then ask again.",
        )


def _called(connection: Connection, event: dict[str, Any]) -> dict[str, Any]:
    from botocore.config import Config  # noqa: PLC0415

    stack = STACKS.get("imaging", "CuatroImaging")
    outputs = connection.outputs(stack)
    if OUTPUT not in outputs:
        raise PlatformError(f"{stack} cannot erase.", "`cuatro status` shows what is deployed.")
    # Once: an erasure that is still at work must not be begun a second time beside it.
    config = Config(read_timeout=_LONGEST_S, retries={"total_max_attempts": 1})
    client = connection.client("lambda", config=config)
    answer = client.invoke(FunctionName=outputs[OUTPUT], Payload=json.dumps(event))
    body = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise PlatformError(
            f"The erasure was not completed: {body.get('errorType', 'failed')}: {body.get('errorMessage', '')}",
            "Ask again: it goes on where it stopped. `cuatro logs imaging` shows more.",
        )
    return dict(body)
