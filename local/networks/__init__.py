"""Posts in memory -> five social networks' documented APIs on one local port, with their limits and faults."""
