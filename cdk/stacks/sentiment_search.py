"""`-c search=opensearch`: a domain in which posts are found by their words and shown on dashboards; off by default.

One small node costs by the hour, whether it is asked or not. The console and the API need none of it.
"""

from typing import TYPE_CHECKING

from aws_cdk import Aws, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_opensearchservice as opensearch

from cdk.constructs.findings import acknowledge
from cdk.constructs.suite_function import SuiteFunction

if TYPE_CHECKING:
    from cdk.stacks.sentiment import CuatroSentiment

ENGINE, NODE, DISK_GB = "OpenSearch_2.19", "t3.small.search", 10
_Parts = opensearch.CfnDomain
_FINDINGS = {
    "AwsSolutions-OS1": "A VPC would take NAT gateways for the function, 33 USD a month; who may call is said by IAM.",
    "AwsSolutions-OS3": "Callers sign with IAM credentials of this account; their addresses are not known beforehand.",
    "AwsSolutions-OS4": "Dedicated masters are three more nodes: posts can be indexed again from the lake.",
    "AwsSolutions-OS7": "A second zone is another node: posts can be indexed again from the lake.",
    "AwsSolutions-OS9[LogExport::SEARCH_SLOW_LOGS]": "Searches hold what people look for, and a log costs.",
    "AwsSolutions-OS9[LogExport::INDEX_SLOW_LOGS]": "The function that indexes logs what was refused.",
}


def search_domain(stack: "CuatroSentiment") -> opensearch.CfnDomain:
    """Encrypted, TLS 1.2, open to this account's identities that may use it: IAM says who."""
    domain = _Parts(
        stack, "Search", engine_version=ENGINE,
        cluster_config=_Parts.ClusterConfigProperty(instance_type=NODE, instance_count=1),
        ebs_options=_Parts.EBSOptionsProperty(ebs_enabled=True, volume_type="gp3", volume_size=DISK_GB),
        encryption_at_rest_options=_Parts.EncryptionAtRestOptionsProperty(enabled=True),
        node_to_node_encryption_options=_Parts.NodeToNodeEncryptionOptionsProperty(enabled=True),
        domain_endpoint_options=_Parts.DomainEndpointOptionsProperty(
            enforce_https=True, tls_security_policy="Policy-Min-TLS-1-2-PFS-2023-10"
        ),
        access_policies=iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    principals=[iam.AccountPrincipal(Aws.ACCOUNT_ID)],
                    actions=[f"es:ESHttp{verb}" for verb in ("Delete", "Get", "Head", "Post", "Put")],
                    resources=[Stack.of(stack).format_arn(service="es", resource="domain", resource_name="*")],
                )
            ]
        ),
    )  # fmt: skip
    domain.apply_removal_policy(RemovalPolicy.RETAIN if stack.target.retain_data else RemovalPolicy.DESTROY)
    for rule, reason in _FINDINGS.items():
        acknowledge(domain, rule, reason)
    CfnOutput(stack, "SearchEndpointOutput", value=endpoint(stack, domain)).override_logical_id("SearchEndpoint")
    return domain


def endpoint(stack: "CuatroSentiment", domain: opensearch.CfnDomain) -> str:
    """Its address, without a slash at the end."""
    return f"{stack.target.search_scheme}://{domain.attr_domain_endpoint}"


def allow_indexing(domain: opensearch.CfnDomain, function: SuiteFunction) -> None:
    """Grant putting the index template and writing documents, and nothing that reads or deletes."""
    for action, path in (("es:ESHttpPut", "_index_template/sentiment-posts"), ("es:ESHttpPost", "_bulk")):
        function.role.add_to_policy(iam.PolicyStatement(actions=[action], resources=[f"{domain.attr_arn}/{path}"]))
