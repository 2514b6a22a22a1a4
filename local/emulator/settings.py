"""(port, state directory) -> the environment that MiniStack reads while it is imported.

MiniStack takes every setting from environment variables, most of them at import. So they are set here, once, before.
"""

import os
from pathlib import Path

from local.platform.account import ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY

# What a command needs to run at all. Nothing else of the user's environment reaches the platform or a function: an
# AWS profile or an endpoint of theirs would redirect it.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
# Settings of the local SageMaker's endpoints (seconds): see local/sagemaker/{serving,workers,invocations}.py.
ENDPOINTS = ("CUATRO_ENDPOINT_IDLE_S", "CUATRO_PING_TIMEOUT_S", "CUATRO_INVOCATION_TIMEOUT_S")

# What accounts may call: see local/bedrock/converse.py.
QUOTAS = ("CUATRO_BEDROCK_REQUESTS_A_MINUTE",)


def environment(port: int, state: Path) -> dict[str, str]:
    """Environment of the platform's process. `port` is the gateway's, `state` holds every file that it writes."""
    scratch = state / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    inherited = {name: os.environ[name] for name in (*INHERITED, *ENDPOINTS, *QUOTAS) if name in os.environ}
    return inherited | {
        "AUTH": "true",  # IAM is enforced, for the functions' roles too: least privilege is proved at every run
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "localhost",
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",  # otherwise MQTT listens on 8883, on every interface, and two platforms clash
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{scratch}/no-docker.sock",  # never start or remove a container
        "LAMBDA_EXECUTOR": "local",
        # Processes that nobody used for this long end, but for one of each version that is in use.
        "LAMBDA_WARM_TTL_SECONDS": os.environ.get("CUATRO_WARM_S", "60"),
        "PERSIST_STATE": "1",  # see local/emulator/restart.py
        "S3_PERSIST": "1",
        "STATE_DIR": str(state / "services"),
        "S3_DATA_DIR": str(state / "s3"),
        "TMPDIR": str(scratch),
        "LOG_LEVEL": "INFO",
    }
