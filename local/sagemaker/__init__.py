"""SageMaker on the laptop: jobs, endpoints, pipelines, registry and feature store, answered as AWS answers."""
