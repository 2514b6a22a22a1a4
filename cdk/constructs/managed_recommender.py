"""Amazon Personalize in place of the suite's own model: dataset group, schemas, datasets, solution, role; who may ask.

CloudFormation has no type for what is made of data (imports, trained versions, the campaign, the event tracker):
`cuatro personalize FILE` makes these, with names that this construct decides: the ranking function knows its campaign
before there is one.
"""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import Names, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_personalize as personalize
from constructs import Construct

from cdk.constructs.findings import acknowledge
from cdk.constructs.lake import Lake
from cdk.constructs.wildcards import allow_begun, everywhere

# A field's Avro types; of interactions as cuatro.adapters.personalize tells them.
_OPTIONAL_TEXT = ["null", "string"]
FIELDS: Mapping[str, Mapping[str, str | Sequence[str]]] = {
    "INTERACTIONS": {
        "USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long", "EVENT_TYPE": "string",
        "EVENT_VALUE": ["null", "float"],
    },
    "ITEMS": {"ITEM_ID": "string", "CATEGORY": _OPTIONAL_TEXT, "TAGS": _OPTIONAL_TEXT, "PRICE": ["null", "float"]},
}  # fmt: skip
# What several values of one item are: a|b.
_CATEGORICAL = {"CATEGORY", "TAGS"}
RECIPE = "aws-user-personalization-v2"
PREFIX = "personalize"
"""Below the pipeline's own in the lake: where files to import lie, and lists of batch jobs."""
_PRINCIPAL = "personalize.amazonaws.com"
_LONGEST = 50


class ManagedRecommender(Construct):
    """Everything of Personalize that a template can hold. The campaign and the tracker follow by `cuatro personalize`.

    uri: what MODEL_URI is for the function that ranks; group: ARN of the dataset group, for what tells events.
    """

    def __init__(self, scope: Construct, name: str, *, lake: Lake) -> None:
        super().__init__(scope, name)
        self._stack = Stack.of(self)
        self.name = Names.unique_resource_name(self, max_length=_LONGEST, separator="-").lower()
        self.group = personalize.CfnDatasetGroup(self, "Group", name=self.name).attr_dataset_group_arn
        datasets = [self._dataset(kind) for kind in FIELDS]
        self._solution = personalize.CfnSolution(
            self, "Solution", name=self.name, dataset_group_arn=self.group,
            recipe_arn=f"arn:{self._stack.partition}:personalize:::recipe/{RECIPE}",
        )  # fmt: skip
        for dataset in datasets:  # a solution needs its data's shape
            self._solution.node.add_dependency(dataset)
        self.campaign = self._stack.format_arn(service="personalize", resource="campaign", resource_name=self.name)
        self.uri = f"personalize:{self.campaign}"
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal(_PRINCIPAL), description="Personalize reads and writes files"
        )
        lake.allow_read(self.role, PREFIX)
        lake.allow_write(self.role, PREFIX)
        self._open(lake)

    def allow_ranking(self, role: iam.Role) -> None:
        """Let `role` ask the campaign for lists, and which version answers."""
        actions = ["personalize:GetRecommendations", "personalize:DescribeCampaign"]
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[self.campaign]))

    def allow_events(self, role: iam.Role) -> None:
        """Let `role` find the group's event tracker and tell it what users did."""
        because = "Personalize makes up the tracker's name, after the deployment."
        actions = ["personalize:PutEvents", "personalize:DescribeEventTracker"]
        allow_begun(role, actions, "personalize", "event-tracker/*", because)
        role.add_to_policy(everywhere(["personalize:ListEventTrackers"]))
        acknowledge(role, "AwsSolutions-IAM5[Resource::*]", "AWS checks the listing of trackers on no resource.")

    def outputs(self) -> dict[str, str]:
        """What `cuatro personalize` needs."""
        return {
            "PersonalizeDatasetGroup": self.group,
            "PersonalizeSolution": self._solution.attr_solution_arn,
            "PersonalizeCampaign": self.campaign,
            "PersonalizeRole": self.role.role_arn,
        }

    def _dataset(self, kind: str) -> personalize.CfnDataset:
        fields = [
            {"name": name, "type": types, **({"categorical": True} if name in _CATEGORICAL else {})}
            for name, types in FIELDS[kind].items()
        ]
        avro = {
            "type": "record", "name": kind.title(), "namespace": "com.amazonaws.personalize.schema", "fields": fields,
            "version": "1.0",
        }  # fmt: skip
        name = f"{self.name}-{kind.lower()}"
        schema = personalize.CfnSchema(self, f"{kind.title()}Schema", name=name, schema=json.dumps(avro))
        return personalize.CfnDataset(
            self, kind.title(), name=name, dataset_type=kind, dataset_group_arn=self.group,
            schema_arn=schema.attr_schema_arn,
        )  # fmt: skip

    def _open(self, lake: Lake) -> None:
        """Personalize wants the bucket's leave besides the role's, for itself and for this account alone."""
        principal = iam.ServicePrincipal(
            _PRINCIPAL, conditions={"StringEquals": {"aws:SourceAccount": self._stack.account}}
        )
        bucket = lake.bucket
        objects = bucket.arn_for_objects(f"{lake.pipeline}/{PREFIX}/*")
        for actions, resource in ((["s3:GetObject", "s3:PutObject"], objects), (["s3:ListBucket"], bucket.bucket_arn)):
            bucket.add_to_resource_policy(
                iam.PolicyStatement(actions=actions, resources=[resource], principals=[principal])
            )
