"""AWS region -> address of SageMaker's Factorization Machines image there.

The accounts in accounts.json are those that AWS documents ("Docker Registry Paths and Example Code", Factorization
Machines); the stack reads them too.
"""

import json
from pathlib import Path

ACCOUNTS = Path(__file__).with_name("accounts.json")


def image_uri(region: str) -> str:
    """Raises ValueError for a region that has none."""
    accounts = json.loads(ACCOUNTS.read_text(encoding="utf-8"))
    if region not in accounts:
        raise ValueError(f"SageMaker's Factorization Machines are not in {region}: {', '.join(sorted(accounts))}")
    return f"{accounts[region]}.dkr.ecr.{region}.amazonaws.com/factorization-machines:1"
