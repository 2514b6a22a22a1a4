"""AWS region -> address of SageMaker's Factorization Machines image there.

The accounts are those that AWS documents ("Docker Registry Paths and Example Code", Factorization Machines).
"""

ACCOUNTS = {
    "af-south-1": "455444449433", "ap-east-1": "286214385809", "ap-northeast-1": "351501993468",
    "ap-northeast-2": "835164637446", "ap-northeast-3": "364406365360", "ap-south-1": "991648021394",
    "ap-southeast-1": "475088953585", "ap-southeast-2": "712309505854", "ca-central-1": "469771592824",
    "eu-central-1": "664544806723", "eu-north-1": "669576153137", "eu-south-1": "257386234256",
    "eu-west-1": "438346466558", "eu-west-2": "644912444149", "eu-west-3": "749696950732",
    "me-south-1": "249704162688", "sa-east-1": "855470959533", "us-east-1": "382416733822",
    "us-east-2": "404615174143", "us-west-1": "632365934929", "us-west-2": "174872318107",
}  # fmt: skip


def image_uri(region: str) -> str:
    """Raises ValueError for a region that has none."""
    if region not in ACCOUNTS:
        raise ValueError(f"SageMaker's Factorization Machines are not in {region}: {', '.join(sorted(ACCOUNTS))}")
    return f"{ACCOUNTS[region]}.dkr.ecr.{region}.amazonaws.com/factorization-machines:1"
