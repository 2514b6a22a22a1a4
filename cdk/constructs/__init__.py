"""The suite's building blocks: what every function, queue, table, API and alarm has in common."""
