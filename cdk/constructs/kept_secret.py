"""A secret that AWS makes up -> its place in Secrets Manager, and the functions that may read it."""

from aws_cdk import RemovalPolicy, SecretValue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from cdk.config import Target
from cdk.constructs.data_key import DataKey
from cdk.constructs.findings import acknowledge
from cdk.constructs.suite_function import SuiteFunction

_LENGTH = 48


def kept_secret(
    scope: Construct,
    name: str,
    *,
    purpose: str,
    target: Target,
    template: str | None = None,
    key: str = "",
    encrypted_with: DataKey | None = None,
) -> secrets.Secret:
    """Made up by AWS: no template, log or person has seen it. template, key: JSON, and the field that is made up."""
    made = secrets.Secret(
        scope, name, description=purpose, removal_policy=_removal(target),
        encryption_key=encrypted_with.key if encrypted_with else None,
        generate_secret_string=secrets.SecretStringGenerator(
            secret_string_template=template, generate_string_key=key if template else None,
            exclude_punctuation=True, password_length=_LENGTH,
        ),
    )  # fmt: skip
    acknowledge(made, "AwsSolutions-SMG4", f"{purpose}: both ends must change together, so a person rotates it.")
    return made


def written_secret(scope: Construct, name: str, *, purpose: str, target: Target, unrotated: str) -> secrets.Secret:
    """An empty JSON object until somebody writes into it. unrotated: why AWS does not."""
    made = secrets.Secret(
        scope, name, description=purpose, secret_string_value=SecretValue.unsafe_plain_text("{}"),
        removal_policy=_removal(target),
    )  # fmt: skip
    acknowledge(made, "AwsSolutions-SMG4", unrotated)
    return made


def allow_secret(function: SuiteFunction, secret: secrets.Secret, encrypted_with: DataKey | None = None) -> None:
    """Grant reading one secret, and opening it; the key that AWS manages needs no grant."""
    function.role.add_to_policy(
        iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret.secret_arn])
    )
    if encrypted_with:
        encrypted_with.allow(function.role, ["Decrypt"], by="secretsmanager", context={"SecretARN": secret.secret_arn})


def _removal(target: Target) -> RemovalPolicy:
    return RemovalPolicy.RETAIN if target.retain_data else RemovalPolicy.DESTROY
