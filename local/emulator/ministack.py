"""Import of MiniStack -> its ASGI app, with our changes made. Every touch point with its inside starts here.

They hold for the version pinned in local/requirements.txt; tests/emulator/test_platform.py and tests/local show that
they still work.
"""

from pathlib import Path
from typing import cast

from ministack import app as ministack_app
from ministack.core import iam_actions, lambda_runtime
from ministack.services import dynamodb

from local import streams
from local.emulator import (
    actions,
    alarms,
    aliases,
    athena,
    callbacks,
    changes,
    deliverychecks,
    deliveryqueue,
    deliverysources,
    encrypted,
    execution,
    firehose,
    functionactions,
    functionlogs,
    invocation,
    metrics,
    namedqueries,
    parsing,
    partiql,
    payloads,
    pool,
    queuereaders,
    restart,
    resumption,
    search,
    secretnames,
    statemachines,
    storesettings,
    versions,
)
from local.emulator.routing import App


def app(state: Path) -> App:
    """MiniStack's ASGI app with what local/emulator changes in it; each module says what, and why."""
    streams.install()
    changes.install()
    execution.install(state / "archives")
    pool.install()
    aliases.install()
    versions.install()
    metrics.install()
    alarms.install()
    invocation.install()
    functionlogs.install()
    firehose.install()
    deliverychecks.install()
    deliveryqueue.install()
    deliverysources.install()
    athena.install()
    namedqueries.install()
    secretnames.install()
    storesettings.install()
    encrypted.install()
    statemachines.install()
    callbacks.install()
    resumption.install()
    payloads.install()
    queuereaders.install()
    search.install()
    transactions = iam_actions.dynamodb_transaction_checks

    def checks(action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
        return transactions(action, body, region, account) or partiql.checks(action, body, region, account)

    iam_actions.dynamodb_transaction_checks = checks
    extract = actions.as_aws_checks(functionactions.as_aws_checks(iam_actions.extract_iam_action))
    iam_actions.extract_iam_action = extract
    iam_actions.extract_resource_arn = functionactions.on_what_aws_checks(iam_actions.extract_resource_arn, extract)
    restart.install(state, end)
    dynamodb.parse_partiql_statement = parsing.remembering(dynamodb.parse_partiql_statement)
    return cast("App", ministack_app.app)


def end() -> None:
    """Brings event sources and functions to rest: what is in the middle of a batch ends it, if it ends soon."""
    deliverysources.rest()
    deliveryqueue.rest()
    streams.end()
    deliverysources.end()
    deliveryqueue.end()
    search.end()
    end_functions()


def end_functions() -> None:
    """Ends every function's process."""
    lambda_runtime.reset()
