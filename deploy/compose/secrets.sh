#!/bin/sh
# Write .env with random secrets for compose.yaml. An existing file is kept as it is.
set -eu
cd "$(dirname "$0")/../.."
[ ! -e .env ] || { echo ".env exists already; nothing was changed."; exit 0; }
random() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
umask 077
for name in SECRET_KEY ENGINE_SECRET METRICS_TOKEN POSTGRES_PASSWORD S3_ACCESS_KEY_ID S3_SECRET_ACCESS_KEY; do
  echo "$name=$(random)"
done >.env
echo ".env has new secrets. Keep a copy of it in a safe place."
