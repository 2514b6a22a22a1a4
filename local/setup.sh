#!/usr/bin/env bash
# Pins -> .venv (the suite), .venv/platform (the local platform alone), node_modules (the CDK command line), and
# .tools (a PACS and DICOM's validators, for tests), where apt can fetch them.
# `make setup` runs it when a pin changed. PYTHON=python3.13 takes a certain Python.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  echo "$*" >&2
  exit 1
}

find_python() { # the versions that Lambda has too
  local python
  for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2> /dev/null; then
      echo "$python"
      return
    fi
  done
  fail "Python 3.11 to 3.14 is needed. Install one, or name it: make setup PYTHON=/path/to/python3.12"
}

install() { # environment, requirements files
  local python=$1/bin/python
  shift
  .venv/bin/uv pip install --quiet --require-hashes --python "$python" "${@/#/--requirement=}"
}

python=$(find_python)
node -e 'process.exit(+process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2> /dev/null && command -v npm > /dev/null ||
  fail "Node 20 or newer with npm is needed for the CDK command line: https://nodejs.org"

if ! .venv/bin/python -c '' 2> /dev/null; then
  echo "Setting up with $("$python" --version) and Node $(node --version); the first time takes some minutes of downloads."
  "$python" -m venv --clear .venv ||
    fail "Python's venv module does not work; on Debian or Ubuntu: apt install python3-venv"
fi
echo "Installing Python packages ..."
awk '/^uv==/ { on = 1; print; next } /^[^ ]/ { on = 0 } on' requirements.txt > .venv/uv.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt
install .venv requirements.txt requirements-dev.txt
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
.venv/platform/bin/python -c '' 2> /dev/null || .venv/bin/uv venv --quiet --clear --python .venv/bin/python .venv/platform
install .venv/platform local/requirements.txt
echo "Installing the CDK command line ..."
npm ci --silent --no-fund --no-audit
local/debian.sh
