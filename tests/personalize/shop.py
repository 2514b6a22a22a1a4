"""A small shop's rows, seeded, and what makes a campaign of them: the calls that a user of Personalize makes."""

import csv
import io
import itertools
import json
import random
from collections.abc import Iterable, Mapping
from typing import Any

from tests.checked import Aws, unique
from tests.waiting import eventually

NOW = 1_790_000_000
SHELVES, LONG, USERS = 6, 10, 200
INTERACTIONS = [("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"), ("EVENT_TYPE", "string"),
                ("EVENT_VALUE", ["float", "null"])]  # fmt: skip
ITEMS = [("ITEM_ID", "string"), ("CATEGORY", "string"), ("PRICE", "float")]
CUSTOMERS = [("USER_ID", "string"), ("MEMBER", "string")]
Row = dict[str, str]


def schema(name: str, columns: Iterable[tuple[str, Any]]) -> str:
    """Avro schema, as JSON."""
    fields = [{"name": column, "type": kind} for column, kind in columns]
    return json.dumps({"type": "record", "name": name, "namespace": "com.amazonaws.personalize.schema",
                       "fields": fields, "version": "1.0"})  # fmt: skip


def rows_of(seed: int = 7) -> list[Row]:
    """Interactions: everybody walks along one shelf, item after item, so that the next item can be known."""
    rng = random.Random(seed)
    rows = []
    for user in range(USERS):
        shelf, start = rng.randrange(SHELVES), rng.randrange(LONG)
        for step in range(rng.randint(5, 9)):
            item = f"s{shelf}-{(start + step) % LONG}"
            rows.append({"USER_ID": f"u{user}", "ITEM_ID": item, "TIMESTAMP": str(NOW - 86400 * (20 - step) + user),
                         "EVENT_TYPE": rng.choice(["view", "view", "purchase"]), "EVENT_VALUE": ""})  # fmt: skip
    return rows


def items() -> list[Row]:
    """The shop's items: a category for each shelf, a price for each place."""
    return [{"ITEM_ID": f"s{shelf}-{place}", "CATEGORY": f"shelf {shelf}", "PRICE": str(place + 0.5)}
            for shelf in range(SHELVES) for place in range(LONG)]  # fmt: skip


def to_csv(rows: list[Row]) -> bytes:
    """Rows as a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


class Shop:
    """A dataset group of its own, and the calls on it."""

    def __init__(self, aws: Aws, bucket: str, role: str) -> None:
        self.aws, self.bucket, self.role = aws, bucket, role
        self.personalize = aws.client("personalize")
        self.runtime = aws.client("personalize-runtime")
        self.events = aws.client("personalize-events")
        self.name = unique("shop")
        self.group = self.personalize.create_dataset_group(name=self.name)["datasetGroupArn"]
        self.datasets: dict[str, str] = {}
        self._clock = itertools.count(NOW)

    def fill(self) -> None:
        """Schemas, datasets and rows of the three types."""
        customers = [{"USER_ID": f"u{user}", "MEMBER": "yes" if user % 2 else "no"} for user in range(USERS)]
        for kind, columns, rows in (("INTERACTIONS", INTERACTIONS, rows_of()), ("ITEMS", ITEMS, items()),
                                    ("USERS", CUSTOMERS, customers)):  # fmt: skip
            self.dataset(kind, columns)
            assert self.imported(kind, to_csv(rows))["status"] == "ACTIVE"

    def dataset(self, kind: str, columns: Iterable[tuple[str, Any]]) -> str:
        """ARN of a new dataset with these columns."""
        made = self.personalize.create_schema(name=unique(kind.lower()), schema=schema(kind.title(), columns))
        given = {"name": unique(kind.lower()), "datasetGroupArn": self.group, "datasetType": kind}
        self.datasets[kind] = self.personalize.create_dataset(schemaArn=made["schemaArn"], **given)["datasetArn"]
        return self.datasets[kind]

    def imported(self, kind: str, content: bytes, **given: Any) -> dict[str, Any]:
        """The import job of a file, ended."""
        key = f"{unique('rows')}.csv"
        self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)
        job = {"jobName": unique("import"), "datasetArn": self.datasets[kind], "roleArn": self.role,
               "dataSource": {"dataLocation": f"s3://{self.bucket}/{key}"}, **given}  # fmt: skip
        arn = self.personalize.create_dataset_import_job(**job)["datasetImportJobArn"]
        return self.ended("dataset_import_job", datasetImportJobArn=arn)

    def solution(self, recipe: str, **given: Any) -> str:
        """ARN of a new solution."""
        arn = f"arn:aws:personalize:::recipe/{recipe}"
        named = {"name": unique("solution"), "datasetGroupArn": self.group, "recipeArn": arn}
        return str(self.personalize.create_solution(performAutoTraining=False, **named, **given)["solutionArn"])

    def version(self, solution: str) -> dict[str, Any]:
        """A new version of a solution, ended."""
        arn = self.personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
        return self.ended("solution_version", solutionVersionArn=arn)

    def trained(self, recipe: str) -> str:
        """ARN of a version of a new solution."""
        made = self.version(self.solution(recipe))
        assert made["status"] == "ACTIVE", made
        return str(made["solutionVersionArn"])

    def campaign(self, version: str, **config: Any) -> str:
        """ARN of a new campaign."""
        given = {"name": unique("campaign"), "solutionVersionArn": version, "campaignConfig": config}
        arn = self.personalize.create_campaign(**given)["campaignArn"]
        assert self.ended("campaign", campaignArn=arn)["status"] == "ACTIVE"
        return str(arn)

    def filter(self, expression: str) -> str:
        """ARN of a new filter."""
        given = {"name": unique("filter"), "datasetGroupArn": self.group, "filterExpression": expression}
        return str(self.personalize.create_filter(**given)["filterArn"])

    def list_of(self, campaign: str, **given: Any) -> list[str]:
        """Items of an answer."""
        answer = self.runtime.get_recommendations(campaignArn=campaign, **given)
        return [each["itemId"] for each in answer["itemList"]]

    def told(self, tracker: str, user: str, *items: str, **event: Any) -> None:
        """Events of one user, one after another."""
        events = [{"eventType": "view", "itemId": item, "sentAt": next(self._clock), **event} for item in items]
        self.events.put_events(trackingId=tracker, userId=user, sessionId="s1", eventList=events)

    def ended(self, what: str, **arn: str) -> dict[str, Any]:
        """The resource once it is no longer being made."""

        def probe() -> Mapping[str, Any] | None:
            word = "".join(part.title() for part in what.split("_"))
            found = getattr(self.personalize, f"describe_{what}")(**arn)[word[0].lower() + word[1:]]
            return found if found["status"] not in ("CREATE PENDING", "CREATE IN_PROGRESS") else None

        return dict(eventually(probe, f"the end of {arn}", 180))
