"""The one account of the local platform: `test`/`test` is its root user, as LocalStack has it.

Functions get keys of their role.
"""

ACCOUNT = "000000000000"
REGION = "us-east-1"
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105 - opens nothing but an emulator on this machine
HOST = "127.0.0.1"
PORT = 4566
# Of the same platform, by TLS.
SECURE_PORT = 4567
# Where a platform says who it is.
IDENTITY_PATH = "/_cuatro/platform"
