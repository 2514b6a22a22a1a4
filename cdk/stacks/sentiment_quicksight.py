"""`-c quicksight=<ARN of a user>`: the lake as a data source and a data set of QuickSight; off by default.

QuickSight is billed by reader and month. Its own role must be let into the lake's bucket and workgroup once, by hand:
QuickSight's settings, "Security & permissions".
"""

from typing import TYPE_CHECKING

from aws_cdk import Aws
from aws_cdk import aws_quicksight as quicksight

from cdk.stacks.sentiment_lake import daily_sql

if TYPE_CHECKING:
    from cdk.stacks.sentiment import CuatroSentiment

_Set = quicksight.CfnDataSet
_Source = quicksight.CfnDataSource
_TYPES = {
    "brand": "STRING", "dt": "STRING", "network": "STRING", "language": "STRING", "posts": "INTEGER",
    "negative": "INTEGER", "neutral": "INTEGER", "positive": "INTEGER", "unsure": "INTEGER", "score": "DECIMAL",
}  # fmt: skip


def quicksight_data(stack: "CuatroSentiment", user: str) -> None:
    """What each day said of a brand: a parameter, since the lake is partitioned by it."""
    name = stack.stack_name.lower()
    source = _Source(
        stack, "QuickSightLake", aws_account_id=Aws.ACCOUNT_ID, data_source_id=f"{name}-lake", name=f"{name} lake",
        type="ATHENA",
        data_source_parameters=_Source.DataSourceParametersProperty(
            athena_parameters=_Source.AthenaParametersProperty(work_group=stack.kept.tables.workgroup.name)
        ),
        permissions=[
            _Source.ResourcePermissionProperty(
                principal=user, actions=[f"quicksight:{verb}DataSource" for verb in ("Describe", "Pass")]
            )
        ],
    )  # fmt: skip
    source.add_resource_dependency(stack.kept.tables.workgroup)
    made = _Set(
        stack, "QuickSightDays", aws_account_id=Aws.ACCOUNT_ID, data_set_id=f"{name}-days",
        name=f"{name}: what each day said", import_mode="DIRECT_QUERY",
        dataset_parameters=[
            _Set.DatasetParameterProperty(
                string_dataset_parameter=_Set.StringDatasetParameterProperty(
                    id="5ca1ab1e-0000-4000-8000-000000000001", name="brand", value_type="SINGLE_VALUED",
                    default_values=_Set.StringDatasetParameterDefaultValuesProperty(static_values=["brand"]),
                )
            )
        ],
        physical_table_map={
            "days": _Set.PhysicalTableProperty(
                custom_sql=_Set.CustomSqlProperty(
                    data_source_arn=source.attr_arn, name="days", sql_query=daily_sql("<<$brand>>", name),
                    columns=[_Set.InputColumnProperty(name=each, type=kind) for each, kind in _TYPES.items()],
                )
            )
        },
        permissions=[
            _Set.ResourcePermissionProperty(
                principal=user, actions=[f"quicksight:{verb}DataSet" for verb in ("Describe", "Pass")]
            )
        ],
    )  # fmt: skip
    made.add_resource_dependency(source)
