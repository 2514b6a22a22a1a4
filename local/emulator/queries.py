"""(SQL of Athena, tables of the Glue catalogue) -> rows: translated by sqlglot from Trino's dialect, run by DuckDB.

Objects of partitions that the WHERE clause rules out are not read, and not counted.
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from local.emulator.lakeviews import QueryError, Source, duckdb_type, literal, quoted, view
from local.emulator.partitions import Values
from local.emulator.queryresults import Row, rows, type_name

MEMORY = "1GB"


class ScanLimitError(Exception):
    """The query would read more bytes than its workgroup allows."""


class Answer(NamedTuple):
    """Rows as text (None is NULL), and the bytes that were read for them."""

    columns: list[str]
    types: list[str]
    rows: list[Row]
    scanned: int


# (database, table), in lower case -> the table, or None
Find = Callable[[str, str], Source | None]
Fetch = Callable[[str, str, str], bytes]


def bound(query: str, parameters: Sequence[str]) -> str:
    """The query with its question marks replaced by these literals. Raises QueryError when they do not match."""
    if not parameters:
        return query
    statement = _parsed(query)
    marks = list(statement.find_all(exp.Placeholder))
    if len(marks) != len(parameters):
        raise QueryError(f"INVALID_PARAMETER_USAGE: {len(marks)} parameters are expected, {len(parameters)} given")
    for mark, text in zip(marks, parameters, strict=True):
        value = _parsed(f"SELECT {text}").selects[0]
        if not isinstance(value, exp.Literal | exp.Boolean | exp.Null | exp.Neg | exp.Cast):
            raise QueryError(f"INVALID_PARAMETER_USAGE: {text} is no literal")
        mark.replace(value)
    return statement.sql(dialect="trino")


def run(query: str, database: str, find: Find, fetch: Fetch, most_bytes: int | None = None) -> Answer:
    """Answers one query. `fetch(database, table, key)` gives an object's bytes. Raises QueryError, ScanLimitError."""
    statement = _parsed(query)
    if not isinstance(statement, exp.Query):
        raise QueryError(f"NOT_SUPPORTED: {query.split(maxsplit=1)[0].upper()} is not known here, only queries are")
    with tempfile.TemporaryDirectory(prefix="athena-") as folder, duckdb.connect(":memory:") as connection:
        connection.execute(f"SET allowed_directories = ['{folder}']; SET enable_external_access = false")
        # As Trino divides; times are UTC.
        connection.execute(f"SET integer_division = true; SET TimeZone = 'UTC'; SET memory_limit = '{MEMORY}'")
        try:
            scanned = 0
            for number, (table, scope) in enumerate(list(_tables(statement))):
                where = (table.db or database).lower(), table.name.lower()
                source = find(*where)
                if source is None:
                    raise QueryError(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{where[0]}.{where[1]}' does not exist")
                wanted = _wanted(connection, source, table, scope)
                data = [(key, fetch(*where, key), values) for key, values in wanted]
                scanned += sum(len(content) for _, content, _ in data)
                if most_bytes is not None and scanned > most_bytes:
                    raise ScanLimitError("Bytes scanned limit was exceeded")
                view(connection, f"t{number}", source, Path(folder, str(number)), data)
                table.replace(_renamed(table, f"t{number}"))
            found = connection.sql(_translated(statement))
            types = [type_name(str(each)) for each in found.types]
            return Answer(list(found.columns), types, rows(found.to_arrow_table()), scanned)
        except duckdb.Error as error:
            raise QueryError(f"{type(error).__name__}: {error}") from None


def _renamed(table: exp.Table, view: str) -> exp.Table:
    """The view in the table's place, under the name that the query knows it by."""
    alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(table.name, quoted=True))
    return exp.Table(this=exp.to_identifier(view, quoted=True), alias=alias, joins=table.args.get("joins"))


def _translated(statement: exp.Query) -> str:
    """The query in DuckDB's words, where sqlglot alone does not find them."""
    for column in list(statement.find_all(exp.Column)):  # db.table.column: the view has another name
        column.set("db", None)
        column.set("catalog", None)
    for each in list(statement.find_all(exp.DateDiff)):  # whole days that passed, not midnights
        unit = exp.Literal.string(each.unit.name if each.unit else "DAY")
        each.replace(exp.Anonymous(this="DATE_SUB", expressions=[unit, each.expression, each.this]))
    for unnest in list(statement.find_all(exp.Unnest)):  # an array of rows becomes columns
        alias = unnest.args.get("alias")
        if alias and len(alias.columns) > 1 and len(unnest.expressions) == 1 and not unnest.args.get("offset"):
            deep = exp.Anonymous(
                this="UNNEST",
                expressions=[
                    unnest.expressions[0].copy(),
                    exp.Kwarg(this=exp.var("max_depth"), expression=exp.Literal.number(2)),
                ],
            )
            unnest.replace(exp.Subquery(this=exp.Select(expressions=[deep]), alias=alias.copy()))
    for number, each in enumerate(statement.selects):
        if isinstance(each, exp.Star) or each.is_star:
            break
        if not isinstance(each, exp.Column | exp.Alias):
            each.replace(exp.alias_(each.copy(), f"_col{number}", quoted=True))
    return statement.sql(dialect="duckdb")


def _parsed(query: str) -> exp.Expression:
    try:
        statements = [each for each in sqlglot.parse(query, dialect="athena") if each is not None]
    except sqlglot.errors.SqlglotError as error:
        raise QueryError(f"SYNTAX_ERROR: {error}") from None
    if len(statements) != 1:
        raise QueryError("SYNTAX_ERROR: exactly one statement is expected")
    return statements[0]


def _tables(statement: exp.Expression) -> Iterable[tuple[exp.Table, Scope]]:
    """Each place where the query reads a table of the catalogue, and the SELECT that it stands in."""
    for scope in traverse_scope(statement):
        for source in scope.sources.values():
            if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
                yield source, scope


def _wanted(
    connection: duckdb.DuckDBPyConnection, source: Source, table: exp.Table, scope: Scope
) -> list[tuple[str, Values]]:
    """The objects that the WHERE clause leaves: of its conditions, those on nothing but partition keys."""
    keys = [each["Name"].lower() for each in source.partition_keys]
    where = scope.expression.args.get("where")
    inner = all(join.side == "" for join in scope.expression.args.get("joins") or [])
    if not keys or where is None or not inner or not source.objects:
        return list(source.objects)
    parts = [part.copy() for part in (where.this.flatten() if isinstance(where.this, exp.And) else [where.this])]
    own = {"", table.alias_or_name.lower()} if len(scope.sources) == 1 else {table.alias_or_name.lower()}

    def about_keys(part: exp.Expression) -> bool:
        columns = list(part.find_all(exp.Column))
        known = all(column.name.lower() in keys and column.table.lower() in own for column in columns)
        return bool(columns) and known and part.find(exp.Query) is None

    conditions = [part for part in parts if about_keys(part)]
    if not conditions:
        return list(source.objects)
    for column in (column for part in conditions for column in part.find_all(exp.Column)):
        column.replace(exp.column(column.name.lower(), quoted=True))
    values = sorted({values for _, values in source.objects})
    listed = ", ".join("({})".format(", ".join([str(at), *map(literal, each)])) for at, each in enumerate(values))
    kinds = [(quoted(key), duckdb_type(each)) for key, each in zip(keys, source.partition_keys, strict=True)]
    typed = ", ".join(f"CAST({key} AS {kind}) AS {key}" for key, kind in kinds)
    given = f"SELECT place, {typed} FROM (VALUES {listed}) AS p(place, {', '.join(map(quoted, keys))})"  # noqa: S608
    condition = " AND ".join(f"({part.sql(dialect='duckdb')})" for part in conditions)
    left = connection.execute(f"SELECT place FROM ({given}) WHERE {condition}").fetchall()  # noqa: S608
    chosen = {values[place] for (place,) in left}
    return [(key, each) for key, each in source.objects if each in chosen]
