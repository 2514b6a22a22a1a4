"""What the infer function reads from its environment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """MODEL_URI: of an ONNX file, or sagemaker:<endpoint>. SHADOW_MODEL_URI may be empty. POLICY is JSON."""

    deidentified_bucket: str
    model_uri: str
    shadow_model_uri: str
    audit_queue_url: str
    policy: str
