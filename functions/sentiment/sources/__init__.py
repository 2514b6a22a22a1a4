"""The networks, each behind functions.sentiment.sources.source.Source."""
