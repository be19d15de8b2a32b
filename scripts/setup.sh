#!/bin/sh
# Set up .venv, node_modules and static/vendor. Usage: setup.sh run|dev
set -eu
cd "$(dirname "$0")/.."
kind=$1

python=${PYTHON:-}
if [ -z "$python" ]; then
  for candidate in python3.11 python3; do
    if command -v "$candidate" >/dev/null 2>&1 &&
       "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
      python=$candidate
      break
    fi
  done
fi
[ -n "$python" ] || { echo "Python 3.11 is needed: install python3.11 (Debian, Ubuntu) or 'brew install python@3.11'." >&2; exit 1; }

if [ ! -x .venv/bin/pip ]; then
  echo "Setting up .venv …"
  if ! "$python" -m venv .venv >/dev/null 2>&1; then
    rm -rf .venv
    # On Debian and Ubuntu venv is a separate package.
    sh scripts/packages.sh python3.11-venv
    "$python" -m venv .venv
  fi
fi
echo "Installing Python packages …"
.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/node.txt -r "requirements/$kind.txt"
echo "Installing front-end files …"
omit=$([ "$kind" = run ] && echo "--omit=dev" || true)
PATH="$PWD/.venv/bin:$PATH" npm ci --silent $omit
.venv/bin/python -m scripts.vendor
.venv/bin/python -m whitenoise.compress --quiet static
echo "Preparing the audio analysis …"
.venv/bin/python -m app.audio.warm
