#!/bin/sh
# Install or upgrade the product on one Debian 12 server: sudo sh deploy/install.sh samples.example.com
#
# Safe to run again: it keeps settings, secrets and certificate. Each run makes a release of the code beside it, migrates,
# and exchanges the processes one after another, so that no request and no job is lost. docs/deploy.md has the rest.
set -eu
[ $# -eq 1 ] || { echo "Usage: sudo sh deploy/install.sh HOST" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "Run this as root." >&2; exit 1; }
host=$1
source=$(cd "$(dirname "$0")/.." && pwd)
home=/opt/sp404
release=$home/releases/$(date -u +%Y%m%d-%H%M%S)
settings=/etc/sp404/env
webs="5000 5010"
KEPT_RELEASES=3

say() { echo "== $*"; }
random() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
has_systemd() { [ -d /run/systemd/system ]; }
as_product() ( # runs a command in the new release, as its user and with its settings, which are read as systemd reads them
  while IFS= read -r line; do
    case $line in
      [A-Z]*=*) value=${line#*=} value=${value#\"} value=${value%\"}; export "${line%%=*}=$value" ;;
    esac
  done <$settings
  cd "$release"
  exec setpriv --reuid=sp404 --regid=sp404 --init-groups env HOME=/var/lib/sp404 "$@"
)

say "Packages"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  python3.11 python3.11-venv make ca-certificates openssl nginx-light postgresql redis-server >/dev/null

say "User and settings"
id sp404 >/dev/null 2>&1 || useradd --system --home-dir /var/lib/sp404 --shell /usr/sbin/nologin sp404
install -d -m 0710 -o sp404 -g sp404 /var/lib/sp404
install -d -m 0750 -o root -g sp404 /etc/sp404
install -d -m 0755 $home/releases
if [ ! -e $settings ]; then
  umask 027
  sed -e "s/samples.example.com/$host/" -e "s/^SECRET_KEY=.*/SECRET_KEY=$(random)/" \
    -e "s/^METRICS_TOKEN=.*/METRICS_TOKEN=$(random)/" "$source/deploy/env.example" >$settings
  umask 022
  chgrp sp404 $settings
fi

say "Database"
has_systemd && systemctl enable -q --now postgresql redis-server
pg_isready -q || service postgresql start >/dev/null
redis-cli ping >/dev/null 2>&1 || service redis-server start >/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do pg_isready -q && break; sleep 1; done
as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }
[ "$(as_postgres psql -tAc "SELECT 1 FROM pg_roles WHERE rolname = 'sp404'")" = 1 ] || as_postgres createuser sp404
[ "$(as_postgres psql -tAc "SELECT 1 FROM pg_database WHERE datname = 'sp404'")" = 1 ] || as_postgres createdb -O sp404 sp404

say "Release $(basename "$release")"
install -d -o sp404 -g sp404 "$release"
tar -C "$source" --exclude=./.git --exclude=./.venv --exclude=./node_modules --exclude=./instance --exclude=./.setup \
  --exclude=./static/vendor --exclude=__pycache__ -cf - . | tar -C "$release" --no-same-owner -xf -
chown -R sp404:sp404 "$release"
as_product sh scripts/setup.sh run

say "Migrations"
as_product .venv/bin/python -m scripts.process release
ln -sfn "$release" $home/next && mv -T $home/next $home/current

say "nginx"
install -d /etc/nginx/sp404 /etc/sp404/tls
install -d -m 0700 -o www-data /var/lib/nginx/sp404-body /var/cache/nginx/sp404
cp -r "$source"/deploy/nginx/app.conf "$source"/deploy/nginx/shared.conf "$source"/deploy/nginx/errors /etc/nginx/sp404/
if [ ! -e /etc/sp404/tls/fullchain.pem ]; then
  openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=$host" -addext "subjectAltName=DNS:$host" \
    -keyout /etc/sp404/tls/privkey.pem -out /etc/sp404/tls/fullchain.pem 2>/dev/null
  echo "   The certificate is self-signed. Put yours into /etc/sp404/tls/ and reload nginx."
fi
sed -e "s#/etc/letsencrypt/live/samples.example.com#/etc/sp404/tls#" -e "s/samples.example.com/$host/" \
  -e "s/# server 127.0.0.1:5010;/server 127.0.0.1:5010;/" "$source/deploy/nginx/sp404.conf" >/etc/nginx/sites-available/sp404.conf
ln -sf ../sites-available/sp404.conf /etc/nginx/sites-enabled/sp404.conf
nginx -t -q

say "Processes"
cp "$source"/deploy/systemd/* /etc/systemd/system/
is_ready() { as_product .venv/bin/python -m scripts.healthy "http://127.0.0.1:$1/readyz" 2>/dev/null; }
if has_systemd; then
  systemctl daemon-reload
  systemctl enable -q sp404.target sp404-worker@1 nginx
  systemctl restart sp404-worker@1
  systemctl restart 'sp404-worker@*' 'sp404-engine*' # those that were added
  for port in $webs; do
    systemctl enable -q "sp404-web@$port"
    systemctl restart "sp404-web@$port"
    for _ in $(seq 60); do is_ready "$port" && break; sleep 1; done
    is_ready "$port" || { echo "sp404-web@$port is not ready: journalctl -u sp404-web@$port" >&2; exit 1; }
  done
  systemctl start sp404.target
  systemctl reload-or-restart nginx
else
  echo "   systemd does not run here. Start the commands of /etc/systemd/system/sp404-*.service, then nginx."
fi
ls -1d $home/releases/* | head -n -$KEPT_RELEASES | xargs -r rm -rf
say "Done: https://$host/"
