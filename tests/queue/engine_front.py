"""nginx before several engines, so that workers reach them at one address."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.live import EngineProcess, free_port
from tests.queue.service_process import Server
from tests.services.conftest import program

CONFIGURATION = """
{user}
daemon off; pid {folder}/engines.pid; error_log {folder}/engines.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/client; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream engines {{ least_conn; {servers} }}
    server {{
        listen 127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_buffering off;  # a worker sees each line as it is sent
        location / {{ proxy_pass http://engines; }}
    }}
}}
"""


def engine_front(folder: Path, engines: Sequence[EngineProcess]) -> tuple[Server, str]:
    """Return nginx, not yet started, and its address."""
    port = free_port()
    servers = " ".join(f"server 127.0.0.1:{each.port} fail_timeout=2s;" for each in engines)
    file = folder / "engines.conf"
    user = "user root;" if os.getuid() == 0 else ""
    file.write_text(CONFIGURATION.format(folder=folder, servers=servers, port=port, user=user))
    url = f"http://127.0.0.1:{port}"
    command = [program("nginx"), "-e", str(folder / "engines.log"), "-c", str(file)]
    return Server(command, lambda: httpx.get(url, timeout=2), folder), url
