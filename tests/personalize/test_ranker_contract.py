"""A campaign behind the suite's ranking protocol keeps what every ranker keeps."""

import pytest

from cuatro.adapters.personalize import PersonalizeRanker
from tests.checked import Aws
from tests.functional.recommendations.ranker_contract import keeps_the_contract
from tests.functional.recommendations.tiny_ranker import NAMES
from tests.personalize.shop import INTERACTIONS, Shop, rows_of, to_csv


@pytest.mark.usefixtures("reached")
def test_a_campaign_keeps_the_contract_of_all_rankers(aws: Aws, bucket: str, role: str) -> None:
    shop = Shop(aws, bucket, role)
    shop.dataset("INTERACTIONS", INTERACTIONS)
    known = sorted({row["ITEM_ID"] for row in rows_of()})
    renamed = {item: NAMES[place % len(NAMES)] for place, item in enumerate(known)}
    rows = [{**row, "ITEM_ID": renamed[row["ITEM_ID"]]} for row in rows_of()]
    assert shop.imported("INTERACTIONS", to_csv(rows))["status"] == "ACTIVE"
    keeps_the_contract(PersonalizeRanker(shop.campaign(shop.trained("aws-user-personalization-v2"))))
