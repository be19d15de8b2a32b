#!/bin/sh
# Install system packages with apt if possible; otherwise print in one line what to install.
set -eu
if ! command -v apt-get >/dev/null 2>&1; then
  echo "Please install: $*" >&2
  exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
  sudo -n true 2>/dev/null || { echo "Please run: sudo apt-get install -y $*" >&2; exit 1; }
  as_root="sudo -n"
fi
echo "Installing $* …"
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
