"""A hospital's file server -> DataSync's agent, which it runs -> the drop prefix, every hour.

The folder is the hospital's outbox: what it holds is copied again as long as it lies there, because `receive` has taken
the copy away (the same image twice counts once, and costs a request). Storage Gateway's file share can take DataSync's
place: it writes with the same role. Files below drop/hospital/ are the sender `hospital`'s.
"""

from typing import TYPE_CHECKING

from aws_cdk import Aws, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_datasync as datasync
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from cdk.config import DataSync
from cdk.constructs.objects import allow_objects

if TYPE_CHECKING:
    from cdk.stacks.imaging import CuatroImaging

DROP, SENDER = "drop", "hospital"
_HOURLY = "rate(1 hour)"


def drop_from_hospital(stack: "CuatroImaging", plan: DataSync) -> None:
    """The drop prefix as a location of DataSync; with an agent, the file server's too, and the task between them."""
    role = _role(stack)
    drop = datasync.CfnLocationS3(
        stack, "Drop", s3_bucket_arn=stack.store.identified.bucket.bucket_arn, subdirectory=f"/{DROP}/{SENDER}/",
        s3_config=datasync.CfnLocationS3.S3ConfigProperty(bucket_access_role_arn=role.role_arn),
    )  # fmt: skip
    drop.node.add_dependency(role)
    CfnOutput(stack, "DropLocationOutput", value=drop.attr_location_arn).override_logical_id("DropLocation")
    CfnOutput(stack, "DropRoleOutput", value=role.role_arn).override_logical_id("DropRole")
    if plan.agent:
        _task(stack, plan, drop)


def _task(stack: "CuatroImaging", plan: DataSync, drop: datasync.CfnLocationS3) -> None:
    source = datasync.CfnLocationNFS(
        stack, "Hospital", server_hostname=plan.host, subdirectory=plan.path,
        on_prem_config=datasync.CfnLocationNFS.OnPremConfigProperty(agent_arns=[plan.agent]),
    )  # fmt: skip
    log = logs.LogGroup(
        stack, "DropLog", retention=stack.target.profile.log_retention, removal_policy=RemovalPolicy.DESTROY
    )
    logs.CfnResourcePolicy(
        stack, "DropLogPolicy", policy_name=f"{Stack.of(stack).stack_name}-datasync",
        policy_document=Stack.of(stack).to_json_string(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "datasync.amazonaws.com"},
                        "Action": ["logs:PutLogEvents", "logs:CreateLogStream"],
                        "Resource": log.log_group_arn,
                        "Condition": {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
                    }
                ],
            }
        ),
    )  # fmt: skip
    task = datasync.CfnTask(
        stack, "DropTask", source_location_arn=source.attr_location_arn,
        destination_location_arn=drop.attr_location_arn,
        cloud_watch_log_group_arn=log.log_group_arn,
        schedule=datasync.CfnTask.TaskScheduleProperty(schedule_expression=_HOURLY),
        options=datasync.CfnTask.OptionsProperty(
            transfer_mode="CHANGED",
            preserve_deleted_files="PRESERVE", overwrite_mode="NEVER", verify_mode="ONLY_FILES_TRANSFERRED",
            # Names of files may hold names of patients: none is logged.
            log_level="OFF", posix_permissions="NONE", uid="NONE", gid="NONE",
        ),
    )  # fmt: skip
    CfnOutput(stack, "DropTaskOutput", value=task.attr_task_arn).override_logical_id("DropTask")


def _role(stack: "CuatroImaging") -> iam.Role:
    """Writes under the drop prefix; reads there only what it needs to compare, and nothing elsewhere."""
    own = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
    trusted = [
        iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=own) for service in ("datasync", "storagegateway")
    ]
    role = iam.Role(stack, "DropRole", assumed_by=iam.CompositePrincipal(*trusted), description="imaging drop")
    bucket = stack.store.identified.bucket
    role.add_to_policy(
        iam.PolicyStatement(
            actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            resources=[bucket.bucket_arn],
        )
    )
    stack.store.identified.allow(
        role, ["PutObject", "GetObject", "GetObjectTagging", "PutObjectTagging", "DeleteObject"], DROP
    )
    allow_objects(role, ["AbortMultipartUpload", "ListMultipartUploadParts"], bucket, DROP)
    return role
