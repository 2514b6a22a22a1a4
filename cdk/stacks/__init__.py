"""One stack a pipeline, and the platform that they share."""
