"""What CloudFormation documents of each type: its operations, what Ref and GetAtt give, which changes replace it."""

import json

from local.aws.cloudformation.kind import Kind, Properties


def _pipeline(properties: Properties) -> Properties:
    """CloudFormation holds the definition one level deeper, and names the S3 object's members otherwise."""
    given = dict(properties)
    definition = given.pop("PipelineDefinition", {})
    if isinstance(definition, str):
        definition = json.loads(definition)
    if "PipelineDefinitionBody" in definition:
        given["PipelineDefinition"] = definition["PipelineDefinitionBody"]
    elif "PipelineDefinitionS3Location" in definition:
        place = definition["PipelineDefinitionS3Location"]
        names = {"Bucket": "Bucket", "Key": "ObjectKey", "Version": "VersionId"}
        given["PipelineDefinitionS3Location"] = {names[name]: value for name, value in place.items() if name in names}
    return given


def _policy(properties: Properties) -> Properties:
    """The target may be named by its id, which holds the three members."""
    given = dict(properties)
    target = given.pop("ScalingTargetId", None)
    if target is not None:
        given |= dict(zip(("ResourceId", "ScalableDimension", "ServiceNamespace"), target.split("|"), strict=True))
    return given


def _features(old: Properties, new: Properties) -> Properties:
    """UpdateFeatureGroup takes the added features, and of the online store its time to live."""
    known = [definition["FeatureName"] for definition in old["FeatureDefinitions"]]
    changes = {name: new[name] for name in ("FeatureGroupName", "ThroughputConfig") if name in new}
    added = [definition for definition in new["FeatureDefinitions"] if definition["FeatureName"] not in known]
    if added:
        changes["FeatureAdditions"] = added
    ttl = new.get("OnlineStoreConfig", {}).get("TtlDuration")
    return {**changes, "OnlineStoreConfig": {"TtlDuration": ttl}} if ttl else changes


TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")
KINDS = (
    Kind(
        "AWS::SageMaker::Model", "Model", "ModelName", "ModelArn", "model",
        ("ModelName", "PrimaryContainer", "Containers", "ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation",
         "InferenceExecutionConfig"),
        {"ModelName": "ModelName", "ModelArn": "ModelArn"},
    ),
    Kind(
        "AWS::SageMaker::EndpointConfig", "EndpointConfig", "EndpointConfigName", "EndpointConfigArn",
        "endpoint-config",
        ("EndpointConfigName", "ProductionVariants", "ShadowProductionVariants", "DataCaptureConfig", "KmsKeyId",
         "AsyncInferenceConfig", "ExplainerConfig", "ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation"),
        {"EndpointConfigName": "EndpointConfigName", "EndpointConfigArn": "EndpointConfigArn"},
    ),
    Kind(
        "AWS::SageMaker::Endpoint", "Endpoint", "EndpointName", "EndpointArn", "endpoint", ("EndpointName",),
        {"EndpointName": "EndpointName", "EndpointArn": "EndpointArn"}, update="UpdateEndpoint",
        status="EndpointStatus", holds="EndpointConfigName",
    ),
    Kind(
        "AWS::SageMaker::Pipeline", "Pipeline", "PipelineName", "PipelineName", "pipeline", ("PipelineName",),
        update="UpdatePipeline", request=_pipeline,
    ),
    Kind(
        "AWS::SageMaker::ModelPackageGroup", "ModelPackageGroup", "ModelPackageGroupName", "ModelPackageGroupArn",
        "model-package-group", ("ModelPackageGroupName", "ModelPackageGroupDescription"),
        {"ModelPackageGroupArn": "ModelPackageGroupArn", "CreationTime": "CreationTime",
         "ModelPackageGroupStatus": "ModelPackageGroupStatus"},
    ),
    Kind(
        "AWS::SageMaker::FeatureGroup", "FeatureGroup", "FeatureGroupName", "FeatureGroupName", "feature-group",
        ("FeatureGroupName", "RecordIdentifierFeatureName", "EventTimeFeatureName", "OfflineStoreConfig", "RoleArn",
         "Description"),
        {"CreationTime": "CreationTime", "FeatureGroupStatus": "FeatureGroupStatus"},
        update="UpdateFeatureGroup", changes=_features, status="FeatureGroupStatus",
    ),
    Kind(
        "AWS::ApplicationAutoScaling::ScalableTarget", "ScalableTarget", "ResourceId", "", "scalable-target", TARGET,
        client="application-autoscaling", tagged=False, update="RegisterScalableTarget",
        create="RegisterScalableTarget",
        delete="DeregisterScalableTarget", key=("ResourceId", "ScalableDimension", "ServiceNamespace"),
    ),
    Kind(
        "AWS::ApplicationAutoScaling::ScalingPolicy", "ScalingPolicy", "PolicyName", "PolicyARN", "scaling-policy",
        ("PolicyName", *TARGET, "ScalingTargetId"), {"Arn": "PolicyARN"},
        client="application-autoscaling", tagged=False, update="PutScalingPolicy", create="PutScalingPolicy",
        request=_policy, key=(*TARGET, "PolicyName"),
    ),
)  # fmt: skip
