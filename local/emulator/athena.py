"""Query of Athena -> its rows, as AWS reads the lake: by the Glue table's columns, projected or registered partitions.

MiniStack runs queries on DuckDB too, but in DuckDB's own words, over every object below a table's location, with the
columns that the files happen to have. Here Trino's SQL is translated, bytes are counted and limited by the workgroup,
and the result lies where the answer says, if the caller's role may do all that: Athena acts with its rights.
"""

# ruff: noqa: SLF001 - the names of MiniStack's inside are the touch points; tests/local shows that they hold
import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import athena, glue, s3

from local.emulator import grants, partitions, queries, queryresults

log = logging.getLogger(__name__)

Description = dict[str, Any]
Start = Callable[[Description], Any]
Execute = Callable[..., Awaitable[None]]


def install() -> None:
    """Replace how MiniStack starts and runs queries; statements that define tables stay its own."""
    athena._start_query_execution = _started(athena._start_query_execution)
    athena._execute_query = _executed(athena._execute_query)


def _started(start: Start) -> Start:
    def started(request: Description) -> Any:
        name = request.get("WorkGroup", "primary")
        workgroup = athena._workgroups.get(name)
        if workgroup is None or workgroup.get("State", "ENABLED") != "ENABLED":
            what = "is not found" if workgroup is None else "is disabled"
            return error_response_json("InvalidRequestException", f"WorkGroup {name} {what}.", 400)
        results = dict(request.get("ResultConfiguration") or {})
        settings = workgroup.get("Configuration") or {}
        own = (settings.get("ResultConfiguration") or {}).get("OutputLocation")
        if own and (_true(settings.get("EnforceWorkGroupConfiguration")) or not results.get("OutputLocation")):
            results["OutputLocation"] = own
        if results.get("OutputLocation"):
            results["OutputLocation"] = results["OutputLocation"].rstrip("/") + "/"
        query = request.get("QueryString", "")
        try:
            text = queries.bound(query, request.get("ExecutionParameters") or [])
        except queries.QueryError as error:
            return error_response_json("InvalidRequestException", str(error), 400)
        before = set(athena._executions)
        answer = start(request | {"QueryString": text, "ResultConfiguration": results})
        for identity in set(athena._executions) - before:  # it runs when this has returned
            athena._executions[identity]["Query"] = query
        return answer

    return started


def _executed(define: Execute) -> Execute:
    async def executed(identity: str, query: str, database: str, ddl: Any, catalog: str | None = None) -> None:
        if ddl is not None:
            await define(identity, query, database, ddl, catalog)
            return
        execution = athena._executions[identity]
        execution["Status"]["State"] = "RUNNING"
        began = time.monotonic()
        state, reason = "SUCCEEDED", ""
        try:
            answer = await asyncio.to_thread(_run, query, database, execution["WorkGroup"])
            await asyncio.to_thread(_keep, execution, answer)
        except queries.ScanLimitError as error:
            state, reason = "CANCELLED", str(error)
        except (queries.QueryError, partitions.TablePropertyError) as error:
            state, reason = "FAILED", str(error)
        except Exception as error:
            log.exception("query %s failed", identity)
            state, reason = "FAILED", f"INTERNAL_ERROR: {error!r}"
        took = int((time.monotonic() - began) * 1000)
        execution["Statistics"] |= {"EngineExecutionTimeInMillis": took, "TotalExecutionTimeInMillis": took}
        if execution["Status"]["State"] == "RUNNING":  # nobody stopped it
            execution["Status"] |= {"State": state, "StateChangeReason": reason[:2000]}
            execution["Status"]["CompletionDateTime"] = int(time.time())

    return executed


def _run(query: str, database: str, workgroup: str) -> queries.Answer:
    limit = ((athena._workgroups.get(workgroup) or {}).get("Configuration") or {}).get("BytesScannedCutoffPerQuery")
    buckets: dict[tuple[str, str], str] = {}

    def find(database: str, table: str) -> queries.Source | None:
        found = _table(database, table)
        if found is None:
            return None
        bucket, prefix = partitions.place(found)
        catalogue = f"arn:aws:glue:{get_region()}:{get_account_id()}"
        for resource in ("catalog", f"database/{database}", f"table/{database}/{table}"):
            _permit("glue:GetTable", f"{catalogue}:{resource}")
        _permit("s3:GetObject", f"arn:aws:s3:::{bucket}/{prefix}object")
        buckets[database, table] = bucket
        return _source(found, f"{found['DatabaseName']}/{found['Name']}")

    def fetch(database: str, table: str, key: str) -> bytes:
        return s3._get_object_data(buckets[database, table], key) or b""

    return queries.run(query, database, find, fetch, int(limit) if limit else None)


def _table(database: str, table: str) -> Description | None:
    """The table of the catalogue by its names in lower case, if data can lie at it."""
    for name, found in list(glue._tables.items()):
        if name.lower() == f"{database}/{table}" and (found.get("StorageDescriptor") or {}).get("Location"):
            return {**found, "DatabaseName": name.partition("/")[0], "Name": name.partition("/")[2]}
    return None


def _source(table: Description, name: str) -> queries.Source:
    bucket = s3._buckets.get(partitions.place(table)[0])
    keys = sorted(bucket["objects"]) if bucket else []
    objects = partitions.read(table, glue._partitions.get(name, []), keys, datetime.now(UTC))
    columns = table["StorageDescriptor"].get("Columns") or []
    return queries.Source(columns, table.get("PartitionKeys") or [], athena._data_format(table), objects)


def _keep(execution: Description, answer: queries.Answer) -> None:
    """Holds the rows for GetQueryResults and puts the file of them."""
    execution["_results"] = {"columns": answer.columns, "rows": answer.rows}
    execution["_column_types"] = answer.types
    execution["Statistics"]["DataScannedInBytes"] = answer.scanned
    bucket, _, key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
    _permit("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}")
    data = queryresults.as_csv(answer.columns, answer.rows)
    put = s3._put_object(bucket, key, data, {"content-type": "text/csv", "content-length": str(len(data))})
    if put[0] != 200:
        raise queries.QueryError(f"Unable to verify/create output bucket {bucket}")


def _permit(action: str, resource: str) -> None:
    """Raises QueryError unless the role that asked may do it; the account itself may everything."""
    caller = iam_evaluator._request_caller_arn.get()
    role = caller.partition(":assumed-role/")[2].partition("/")[0]
    if role and not grants.allowed(f"arn:aws:iam::{get_account_id()}:role/{role}", action, resource, "athena"):
        raise queries.QueryError(f"Insufficient permissions to execute the query: {action} on resource {resource}.")


def _true(value: object) -> bool:
    return str(value).lower() == "true"
