"""Running platform -> the CDK app deployed to it by the plain CDK CLI, or nothing done when nothing changed since.

The same app and CLI deploy to AWS; here only the endpoint, the credentials and `-c target=local` differ.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.platform.account import ACCESS_KEY, ACCOUNT, REGION, SECRET_KEY
from local.platform.errors import PlatformError
from local.platform.process import ROOT, Platform, tail

INPUTS = ("cdk", "functions", "layers", "models", "app.py", "cdk.json", "requirements.txt", "package-lock.json")
SUFFIXES = {".py", ".json", ".jsonl", ".txt", ".onnx", ".in"}
LOG = "deploy.log"
ASSEMBLIES = ROOT / ".build" / "assemblies"
ASSEMBLIES_KEPT = 5
CDK = ROOT / "node_modules" / ".bin" / "cdk"
# "CuatroFraud | 12/48 | 10:01:02 AM | CREATE_COMPLETE | ..." as the CLI reports progress; without a change set no "/48"
_EVENT = re.compile(r"(?P<stack>\w+) \|\s+(?P<done>\d+)(?:/(?P<all>\d+))? \|")

# (what is done now, share done from 0 to 1 where it is known)
Tell = Callable[[str, float | None], None]


def deploy(
    platform: Platform, tell: Tell, options: Mapping[str, str] | None = None, stacks: Sequence[str] = ()
) -> bool:
    """Bootstraps, synthesises and deploys where needed; False when the same app is deployed here already.

    options: of the app, as `-c` gives them on AWS (ranking, serving, ...). stacks: only these and what they need; all
    when there are none. Raises PlatformError with the end of the log when a step fails.
    """
    chosen = [f"{name}={value}" for name, value in sorted((options or {}).items())]
    app = digest(options=chosen)
    wanted = " ".join([app, *sorted(stacks)])
    # A platform that begins with empty state removes these stamps (local/emulator/restart.py).
    if _read(platform.state / "deployed") == wanted:
        return False
    if not CDK.exists():
        raise PlatformError("The CDK command line is missing from node_modules.", "Run `make setup`.")
    (platform.state / LOG).unlink(missing_ok=True)
    with ThreadPoolExecutor() as pool:  # two processes that wait for other things: the emulator, and jsii
        bootstrapping = pool.submit(_bootstrap, platform, tell)
        synthesising = pool.submit(_synthesise, platform, app, chosen, tell)
        bootstrapping.result()
        assembly = synthesising.result()
    _cdk(platform, ["deploy", *(stacks or ("--all",)), "--app", str(assembly), "--require-approval", "never",
                    "--progress", "events", "--method", "direct", "--concurrency", "2"], tell, "Deploying")  # fmt: skip
    (platform.state / "deployed").write_text(wanted)
    return True


def digest(root: Path = ROOT, options: Sequence[str] = ()) -> str:
    """Hash of everything that the deployment is made from: files, options, and the Python that runs them."""
    seen = hashlib.sha256("\0".join([sys.version, *options]).encode())
    for path in _inputs(root):
        seen.update(f"{path.relative_to(root)}\0".encode())
        seen.update(hashlib.sha256(path.read_bytes()).digest())
    return seen.hexdigest()


def _inputs(root: Path) -> Iterator[Path]:
    for name in INPUTS:
        path = root / name
        if path.is_file():
            yield path
        elif name == "models":  # of these only the models themselves are deployed
            yield from sorted([*path.glob("*/*.onnx"), *path.glob("*/tokenizer.*")])
        else:
            yield from sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())


def _bootstrap(platform: Platform, tell: Tell) -> None:
    """CDK's own stack (the bucket for assets), made once for each platform."""
    stamp = platform.state / "bootstrapped"
    if not stamp.exists():
        # An empty app: bootstrap needs none, and must not start ours beside the synth.
        _cdk(platform, ["bootstrap", f"aws://{ACCOUNT}/{REGION}", "--app", ""], tell, "Bootstrapping")
        stamp.touch()


def _synthesise(platform: Platform, wanted: str, options: Sequence[str], tell: Tell) -> Path:
    """The cloud assembly of this digest, kept for the next platform that deploys the same."""
    assembly = ASSEMBLIES / wanted[:24]
    context = [word for option in ("target=local", *options) for word in ("-c", option)]
    if not assembly.exists():
        ASSEMBLIES.mkdir(parents=True, exist_ok=True)
        for old in sorted(ASSEMBLIES.iterdir(), key=lambda path: path.stat().st_mtime)[:-ASSEMBLIES_KEPT]:
            shutil.rmtree(old, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(dir=ASSEMBLIES))
        app = f"{sys.executable} app.py"
        try:
            _cdk(platform, ["synth", "--quiet", "--app", app, *context, "--output", str(partial)], tell, "Synthesising")
            with contextlib.suppress(OSError):  # another platform made the same in the meantime
                partial.rename(assembly)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return assembly


def _cdk(platform: Platform, arguments: list[str], tell: Tell, doing: str) -> None:
    """Runs the CLI; its output goes to the log, its progress to `tell`."""
    log = platform.state / LOG
    tell(doing, None)
    began = time.monotonic()
    command = [CDK, *arguments, "--no-notices", "--no-color"]
    with log.open("a", buffering=1) as output:
        output.write(f"--- cdk {' '.join(arguments)}\n")
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(platform),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            for line in process.stdout:
                output.write(line)
                event = _EVENT.search(line)
                if event:
                    total = int(event["all"] or _resources(event["stack"]))
                    tell(f"{doing} {event['stack']}", min(1.0, int(event["done"]) / max(1, total)))
        code = process.returncode
        output.write(f"--- ended with {code} after {time.monotonic() - began:.1f} s\n")
    if code:
        raise PlatformError(
            f"`cdk {arguments[0]}` failed ({doing.lower()}).",
            f"Mend what the end of {log} says, then run `cuatro up` again: it goes on from here.",
            tail(log),
        )


def _resources(stack: str) -> int:
    """Number of resources of a stack that was synthesised last; 0 when there is none."""
    templates = sorted(ASSEMBLIES.glob(f"*/{stack}.template.json"), key=lambda path: path.stat().st_mtime)
    return len(json.loads(templates[-1].read_text())["Resources"]) if templates else 0


def environment(platform: Platform) -> dict[str, str]:
    """Environment in which the AWS SDKs of the CLI find this platform and nothing of the user's AWS settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ENDPOINT_URL": platform.endpoint,
        "AWS_ENDPOINT_URL_S3": platform.endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_VERSION_CHECK": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "true",
        "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "true",
        "NODE_NO_WARNINGS": "1",
        "NO_COLOR": "1",
    }


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
