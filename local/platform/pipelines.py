"""The pipelines and their stacks, as people name them on the command line."""

STACKS = {
    "fraud": "CuatroFraud",
    "recommendations": "CuatroRecommendations",
    "sentiment": "CuatroSentiment",
    "imaging": "CuatroImaging",
}
