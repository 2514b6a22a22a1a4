"""Prefixes of a lake -> a Glue database with a table of each, and an Athena workgroup to query them with SQL.

Days are projected, not registered: a new dt=YYYY-MM-DD/ is there as soon as an object lies in it, without a crawler.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from aws_cdk import Aws, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from constructs import Construct

if TYPE_CHECKING:
    from cdk.constructs.lake import Lake

# 10 GB: a query that asks for every day by mistake ends at 0.05 USD instead of reading the whole lake.
MOST_BYTES = 10_000_000_000
# Before this there is no day to look for.
_FIRST_DAY = "2025-01-01"
_PARQUET = (
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
)
_JSON = (
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "org.openx.data.jsonserde.JsonSerDe",
)
_Conversion = firehose.CfnDeliveryStream.DataFormatConversionConfigurationProperty


class LakeTables(Construct):
    """The database and the workgroup are named after the stack, in lower case as Glue writes them."""

    def __init__(self, lake: "Lake") -> None:
        super().__init__(lake, "Tables")
        self.lake = lake
        self.name = Stack.of(self).stack_name.lower()
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.name, description=f"What lies in the lake of {lake.pipeline}"
            ),
        )
        self.workgroup = athena.CfnWorkGroup(
            self,
            "Queries",
            name=self.name,
            description=f"Queries of the lake of {lake.pipeline}; their results expire",
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                bytes_scanned_cutoff_per_query=MOST_BYTES,
                publish_cloud_watch_metrics_enabled=False,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"{lake.uri('queries')}/",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_S3"
                    ),
                ),
            ),
        )

    def table(
        self, name: str, columns: Mapping[str, str], *, parquet: bool = False, by: Sequence[str] = ()
    ) -> "LakeTable":
        """The objects under <pipeline>/<name>/ as rows; columns: name -> Glue type. Parquet, or lines of JSON.

        by: further partition keys, before the day, whose values only a query knows: WHERE <key> = '...'.
        """
        return LakeTable(self, name, columns, parquet=parquet, by=by)

    def query(self, name: str, purpose: str, sql: str) -> athena.CfnNamedQuery:
        """SQL that the workgroup offers under a name. A view is made by running it once."""
        made = athena.CfnNamedQuery(
            self, name, name=name, description=purpose, database=self.name, query_string=sql,
            work_group=self.workgroup.name,
        )  # fmt: skip
        made.add_resource_dependency(self.workgroup)
        made.add_resource_dependency(self.database)
        return made


class LakeTable(Construct):
    """One table of the database, partitioned by `dt`: the day (UTC) on which objects came, or of what they tell."""

    def __init__(
        self, tables: LakeTables, name: str, columns: Mapping[str, str], *, parquet: bool, by: Sequence[str] = ()
    ) -> None:
        super().__init__(tables, name.capitalize())
        self.name, self.parquet = name, parquet
        self._database = tables.name
        location = f"{tables.lake.uri(name)}/"
        parts = glue.CfnTable
        source, target, serde = _PARQUET if parquet else _JSON
        made = parts(
            self,
            "Table",
            catalog_id=Aws.ACCOUNT_ID,
            database_name=tables.name,
            table_input=parts.TableInputProperty(
                name=name,
                table_type="EXTERNAL_TABLE",
                parameters={
                    "classification": "parquet" if parquet else "json",
                    "projection.enabled": "true",
                    "projection.dt.type": "date",
                    "projection.dt.format": "yyyy-MM-dd",
                    "projection.dt.range": f"{_FIRST_DAY},NOW",
                    **{f"projection.{key}.type": "injected" for key in by},
                    "storage.location.template": location + "".join(f"{key}=${{{key}}}/" for key in (*by, "dt")),
                },
                partition_keys=[parts.ColumnProperty(name=key, type="string") for key in (*by, "dt")],
                storage_descriptor=parts.StorageDescriptorProperty(
                    columns=[parts.ColumnProperty(name=each, type=kind) for each, kind in columns.items()],
                    location=location,
                    input_format=source,
                    output_format=target,
                    # A damaged line is a row of nulls, not the end of every query.
                    serde_info=parts.SerdeInfoProperty(
                        serialization_library=serde,
                        parameters=None if parquet else {"ignore.malformed.json": "true"},
                    ),
                ),
            ),
        )
        made.add_resource_dependency(tables.database)
        self._made = made

    def allow_reading_its_schema(self, role: iam.Role) -> None:
        """Grant what Firehose needs to know the columns."""

        def arn(kind: str, name: str | None = None) -> str:
            return Stack.of(self).format_arn(service="glue", resource=kind, resource_name=name)

        role.add_to_policy(
            iam.PolicyStatement(
                actions=["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
                resources=[
                    arn("catalog"),
                    arn("database", self._database),
                    arn("table", f"{self._database}/{self.name}"),
                ],
            )
        )

    def conversion(self, role: iam.Role) -> _Conversion:
        """Lines of JSON -> Parquet (Snappy) of these columns, as Firehose is told to do it."""
        parts = firehose.CfnDeliveryStream
        return _Conversion(
            enabled=True,
            input_format_configuration=parts.InputFormatConfigurationProperty(
                deserializer=parts.DeserializerProperty(open_x_json_ser_de=parts.OpenXJsonSerDeProperty())
            ),
            output_format_configuration=parts.OutputFormatConfigurationProperty(
                serializer=parts.SerializerProperty(parquet_ser_de=parts.ParquetSerDeProperty(compression="SNAPPY"))
            ),
            schema_configuration=parts.SchemaConfigurationProperty(
                catalog_id=Aws.ACCOUNT_ID,
                database_name=self._database,
                table_name=self._made.ref,
                region=Aws.REGION,
                role_arn=role.role_arn,
                version_id="LATEST",
            ),
        )
