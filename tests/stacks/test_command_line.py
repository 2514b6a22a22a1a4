"""The CDK command line that package.json pins reads what the CDK library that requirements.txt pins writes."""

import json
import subprocess
from pathlib import Path

from cdk.archive import ROOT
from tests.stacks.synthesis import DEFAULT, STACKS, assembly

CDK = ROOT / "node_modules" / ".bin" / "cdk"


def test_the_pinned_command_line_reads_the_assembly() -> None:
    done = listed(assembly(DEFAULT).path)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == set(STACKS)


def test_the_pinned_command_line_is_the_installed_one() -> None:
    pinned = json.loads((ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"]
    assert json.loads((ROOT / "node_modules" / "aws-cdk" / "package.json").read_text())["version"] == pinned


def test_an_assembly_from_the_future_is_refused(tmp_path: Path) -> None:
    """So that the first test means something."""
    manifest = json.loads((assembly(DEFAULT).path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "version": "9999.0.0"}))
    assert listed(tmp_path).returncode != 0


def listed(app: Path) -> subprocess.CompletedProcess[str]:
    command = [CDK, "list", "--app", str(app), "--no-notices"]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
