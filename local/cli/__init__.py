"""The `cuatro` command line."""
