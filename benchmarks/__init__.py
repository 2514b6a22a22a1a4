"""Our handlers against those that everybody writes, in one run: `python -m benchmarks.run` -> docs/benchmarks.md."""
