"""(port, state directory) -> the local platform: one ASGI gateway on 127.0.0.1, MiniStack and our services behind it.

It listens twice: plain HTTP for the SDKs, as every emulator does, and TLS for whoever must not speak in the clear.

Runs in the platform's own virtual environment: `.venv/platform/bin/python -m local.gateway --port 4566 --state .local`.
`cuatro up` starts it; nothing else needs to.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from local.emulator import restart, settings
from local.emulator.certificates import Certificates, certificates
from local.emulator.routing import App, Gateway
from local.faults import Faults
from local.platform.account import HOST, PORT, SECURE_PORT


def listen(port: int) -> socket.socket:
    """Bound loopback socket; port 0 takes a free one. Bound first, so that nobody takes it in between."""
    try:
        return _bound(port)
    except OSError as error:
        sys.exit(
            f"port {port} of {HOST} is taken ({error.strerror}): choose another with --port, or --port 0 for a free one"
        )


def listen_by_tls(port: int) -> socket.socket:
    """Bound loopback socket of the TLS port: the usual one beside the usual `port` where it is free, else any."""
    if port == PORT:
        with contextlib.suppress(OSError):
            return _bound(SECURE_PORT)
    return _bound(0)


def _bound(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener


async def serve(
    app: App, plain: socket.socket, secure: socket.socket, known_by: Certificates, end: Callable[[], None]
) -> None:
    """Serves until SIGTERM or SIGINT; `end` is called then, while calls are still answered, and MiniStack ends."""
    from hypercorn.asyncio import serve as hypercorn_serve  # noqa: PLC0415 - MiniStack must have patched it before
    from hypercorn.config import Config  # noqa: PLC0415

    config = Config()
    config.bind, config.insecure_bind = [f"fd://{secure.fileno()}"], [f"fd://{plain.fileno()}"]
    config.certfile = config.keyfile = str(known_by.own)
    config.alpn_protocols = ["http/1.1"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.accesslog = None
    ending = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ending.set)

    async def ended() -> None:
        await ending.wait()
        await asyncio.to_thread(end)

    await hypercorn_serve(app, config, shutdown_trigger=ended)  # type: ignore[arg-type]


def main() -> None:
    """Entry point of the platform's process."""
    parser = argparse.ArgumentParser(prog="local.gateway", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="0 takes a free one")
    parser.add_argument("--state", type=Path, default=Path(".local"), help="directory of everything it writes")
    options = parser.parse_args()
    state = options.state.resolve()
    plain = listen(options.port)
    secure = listen_by_tls(options.port)
    port, secure_port = (listener.getsockname()[1] for listener in (plain, secure))
    with_faults = os.environ.get("CUATRO_FAULTS") == "1"
    shutil.rmtree(state / "tmp", ignore_errors=True)  # of a platform that was ended hard
    restart.begin(state)
    known_by = certificates(state)
    environment = settings.environment(port, state)
    os.environ.clear()
    os.environ.update(environment)

    from local.aws.cloudformation.first_call import FirstCall  # noqa: PLC0415
    from local.comprehend import api as comprehend_api  # noqa: PLC0415 - asks MiniStack's IAM
    from local.emulator import ministack  # noqa: PLC0415 - reads the environment while it is imported
    from local.personalize import api as personalize_api  # noqa: PLC0415 - asks it too
    from local.sagemaker import api as sagemaker_api  # noqa: PLC0415 - asks it too

    identity = {"pid": os.getpid(), "port": port, "secure_port": secure_port, "authority": str(known_by.authority),
                "state": str(state)}  # fmt: skip
    (state / "platform.json").write_text(json.dumps(identity))
    default = ministack.app(state)
    sagemaker = sagemaker_api.app(state / "sagemaker")
    personalize = personalize_api.app(state / "personalize")
    comprehend = comprehend_api.app(state / "comprehend")
    cloudformation = FirstCall(default, [sagemaker_api.family(sagemaker), personalize_api.family(personalize)])
    services: dict[str, App] = {
        **sagemaker_api.services(sagemaker),
        **personalize_api.services(personalize),
        **comprehend_api.services(comprehend),
        "cloudformation": cloudformation,
    }
    app: App = Gateway(default, services, identity)
    if with_faults:
        app = Faults(app)

    def end() -> None:
        comprehend.end()
        personalize.end()
        sagemaker.end()
        ministack.end()

    try:
        asyncio.run(serve(app, plain, secure, known_by, end))
    finally:
        ministack.end_functions()
        (state / "platform.json").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
