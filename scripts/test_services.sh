#!/bin/sh
# Install what the tests need beside Python and is missing: Redis, PostgreSQL, nginx, Prometheus, systemd, Chromium, and encoders of MP3.
set -eu
cd "$(dirname "$0")/.."
if [ "$(uname)" = Darwin ]; then
  missing=
  command -v redis-server >/dev/null 2>&1 || missing="$missing redis"
  command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
  command -v nginx >/dev/null 2>&1 || missing="$missing nginx"
  command -v promtool >/dev/null 2>&1 || missing="$missing prometheus"
  command -v ffmpeg >/dev/null 2>&1 || missing="$missing ffmpeg"
  command -v lame >/dev/null 2>&1 || missing="$missing lame"
  [ -d "/Applications/Chromium.app" ] || [ -d "/Applications/Google Chrome.app" ] || missing="$missing chromium"
  [ -z "$missing" ] || { echo "Please run: brew install$missing" >&2; exit 1; }
  exit 0
fi
missing=
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
command -v promtool >/dev/null 2>&1 || missing="$missing prometheus"
command -v systemd-analyze >/dev/null 2>&1 || missing="$missing systemd"
command -v ffmpeg >/dev/null 2>&1 || missing="$missing ffmpeg"
command -v lame >/dev/null 2>&1 || missing="$missing lame"
command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"
[ -z "$missing" ] || sh scripts/packages.sh $missing
