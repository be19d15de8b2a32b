"""Run nginx with the shipped site in front of a web process; only ports, folders and certificate differ."""

from __future__ import annotations

import os
import ssl
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.live import ROOT, free_port
from tests.services.conftest import program

SITES = ROOT / "deploy" / "nginx"
HOST = "samples.example.com"


class Front:
    """nginx in front of a web process, reached over TLS at `url`."""

    def __init__(self, folder: Path, *web_urls: str, store: Path = Path("/nowhere")) -> None:
        self.folder, self.port, self.plain_port = folder, free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        certificate, key = _self_signed(folder)
        changes = {
            "listen 443 ssl http2": f"listen 127.0.0.1:{self.port} ssl http2",
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen [::]:443 ssl http2": f"listen [::1]:{self.port} ssl http2",
            "listen [::]:80;": f"listen [::1]:{self.plain_port};",
            "server 127.0.0.1:5000;": "\n".join(
                f"server {httpx.URL(url).netloc.decode()};" for url in web_urls
            ),
            f"/etc/letsencrypt/live/{HOST}/fullchain.pem": str(certificate),
            f"/etc/letsencrypt/live/{HOST}/privkey.pem": str(key),
            "/var/cache/nginx/sp404": str(folder / "cache"),
            "/var/lib/nginx/sp404-body": str(folder / "body"),
            "/etc/nginx/sp404/errors/": f"{SITES}/errors/",
            "/var/lib/sp404/store/": f"{store}/",
        }
        site = (SITES / "sp404.conf").read_text()
        for name in ("shared.conf", "app.conf"):
            site = site.replace(f"include /etc/nginx/sp404/{name};", (SITES / name).read_text())
        for shipped, here in changes.items():
            assert shipped in site, shipped
            site = site.replace(shipped, here)
        (folder / "site.conf").write_text(site)
        (folder / "nginx.conf").write_text(_main_configuration(folder))

    def start(self, status: int = 200) -> None:
        """Start nginx and wait until it answers; `status` is what it says without a web process."""
        command = [
            program("nginx"),
            "-c",
            str(self.folder / "nginx.conf"),
            "-e",
            str(self.folder / "error.log"),
        ]
        self.process = subprocess.Popen(command)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log
            with suppress(httpx.TransportError), self.client() as client:
                if client.get("/healthz").status_code == status:
                    return
            time.sleep(0.1)
        raise AssertionError(self.log)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def client(self, local_address: str | None = None) -> httpx.Client:
        """Return a client that comes from this address of the loopback network."""
        transport = httpx.HTTPTransport(verify=trusting(), local_address=local_address)
        return httpx.Client(base_url=self.url, transport=transport, timeout=60, headers={"Host": HOST})

    @property
    def log(self) -> str:
        return (self.folder / "error.log").read_text()[-4000:]


@cache
def trusting() -> ssl.SSLContext:
    """Return a context that takes any certificate, such as that of this test."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _main_configuration(folder: Path) -> str:
    kinds = ("proxy", "fastcgi", "uwsgi", "scgi")
    places = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.getuid() == 0 else ""
    return f"""{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
access_log off;
client_body_temp_path {folder}/client;
{places}
include {folder}/site.conf;
}}
"""


def _self_signed(folder: Path) -> tuple[Path, Path]:
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]),
    )
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = (
        made.serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
